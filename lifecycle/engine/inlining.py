"""Compiles a handler's body into its checked method: the call is one frame, under the handler's own file and lines."""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CellType, CodeType, FunctionType
from typing import Any, TypeVar, cast

from lifecycle.engine.signatures import PREFIX

Handler = TypeVar("Handler", bound=Callable[..., Any])


def inlined(handler: Handler) -> Handler:
    """Have this handler's body compiled into its checked method, so that the call is one frame.

    The handler has no closure and no zero-argument super(). If the call changes the state, the handler returns at its end only.
    If the call keeps the state, a `return` of a name or a constant ends the call with `ok` and gives it to the caller as it is,
    and so does the `A` of `return A or B` where it is true; any other returned expression may be settled(...). Where its source
    cannot be read, it runs in a frame of its own, as every other handler.
    """
    handler.__inlined__ = True  # type: ignore[attr-defined]
    return handler


def usually_zero(parameter: str) -> Callable[[Handler], Handler]:
    """Say which parameter of an inlined handler is 0 in nearly every call, where the call keeps the state.

    It is checked together with the state, and is a constant in what is compiled, so that it is never assigned to. A call with
    another value runs the handler in a frame of its own.
    """

    def mark(handler: Handler) -> Handler:
        handler.__usually_zero__ = parameter  # type: ignore[attr-defined]
        return handler

    return mark


def check_inlined(handler: FunctionType, *, returns_once: bool) -> None:
    """Raise TypeError for a handler that cannot be inlined: one with a closure, or that returns elsewhere than at its end.

    returns_once: whether it may return at its end only.
    """
    if handler.__code__.co_freevars:
        raise TypeError(f"{handler.__qualname__}() is inlined, so it cannot use a closure or super() without arguments")
    definition = _definition_of(handler) if returns_once else None
    if definition is not None:
        _Inlining(definition, handler.__qualname__).assigned([])


def free_names(source: str, names: Iterable[str]) -> list[str]:
    """Which of these names are free variables of the method that `source` defines: those that stand behind its parameters."""
    _, _, body = source.partition(":\n")
    return sorted(name for name in names if name in body)  # of the names that generated code uses none begins another one


def inlined_method(source: str, handler: FunctionType, slow: FunctionType, free: Mapping[str, object]) -> FunctionType | None:
    """The method that `source` defines, with the handler's body where that calls `_lc_handler`.

    slow: what `_lc_handler` is elsewhere. free: what the other names of generated code mean; the handler's own are looked up
    in its module. None where the handler's source is not available.
    """
    definition = _definition_of(handler)
    if definition is None:
        return None
    module = ast.parse(source)
    _locate_all(module, definition.lineno)  # the check belongs to the line of the `def`
    zero = getattr(handler, "__usually_zero__", None)
    if zero:
        _Zero(zero).visit(definition)
    method = _Inlining(definition, handler.__qualname__).visit(module).body[0]
    locate_tries(method)
    return _method(method, handler, {HANDLER: slow}, free)


def self_contained_method(
    source: str, handler: FunctionType, slow: FunctionType, free: Mapping[str, object], names: Mapping[str, object]
) -> FunctionType:
    """The method that `source` defines, whose handler has a frame of its own; else as inlined_method().

    names: what the names of generated code mean; those that are not free variables are local ones.
    """
    module = ast.parse(source)
    method = cast(ast.FunctionDef, module.body[0])
    constants = {HANDLER: slow, **{name: names[name] for name in free_names(source, names) if name not in free}}
    first = [ast.Assign([ast.Name(name, ast.Store())], ast.Constant(name)) for name in constants]
    last = ast.Expr(ast.Tuple([ast.Name(name, ast.Load()) for name in free], ast.Load()))  # never runs
    method.body = [*first, *method.body, last]
    _locate_all(ast.fix_missing_locations(module), handler.__code__.co_firstlineno)
    return _method(method, handler, constants, free)


def _method(
    method: ast.FunctionDef, handler: FunctionType, constants: Mapping[str, object], free: Mapping[str, object]
) -> FunctionType:
    """Compile a method in the place of its handler. constants: what stands for the constants that are these names."""
    # Other names are variables of a function around it; the handler is a constant, since a variable would cost each call.
    around = ast.parse(f"def {AROUND}({', '.join(free)}): pass")
    cast(ast.FunctionDef, around.body[0]).body = [method]
    flags = handler.__code__.co_flags & _FUTURES
    code = compile(ast.fix_missing_locations(around), handler.__code__.co_filename, "exec", flags=flags, dont_inherit=True)
    own = _code_named(method.name, _code_named(AROUND, code))
    own = own.replace(
        co_consts=tuple(constants[each] if isinstance(each, str) and each in constants else each for each in own.co_consts),
        co_qualname=handler.__code__.co_qualname,
    )
    cells = tuple(CellType(free[name]) for name in own.co_freevars)
    made = FunctionType(own, handler.__globals__, method.name, handler.__defaults__, cells)
    made.__kwdefaults__ = handler.__kwdefaults__
    return made


HANDLER = f"{PREFIX}handler"
"""The handler's name in generated code"""

AROUND = f"{PREFIX}around"


def begin_of(statement: ast.stmt) -> int:
    """The line of the first statement in it that does something.

    A `try:` on a line of its own is an instruction that belongs to no `try` around it, where a tracer may raise.
    """
    return begin_of(statement.body[0]) if isinstance(statement, ast.Try) else statement.lineno


def locate_tries(tree: ast.AST) -> None:
    """Have each `try` of generated code begin at the line of what it does first."""
    for node in _statements(tree):
        if isinstance(node, ast.Try):
            node.lineno = begin_of(node)
            node.end_lineno = max(node.lineno, node.end_lineno or 0)


def _statements(node: ast.AST, but_of: tuple[type[ast.AST], ...] = ()) -> Iterator[ast.AST]:
    """The statements in it, nested ones too, but not their expressions, which are most of what ast.walk() yields.

    but_of: kinds of statements; those that stand in one of these are left out.
    """
    for part in _PARTS:
        for each in getattr(node, part, ()):
            yield each
            if not isinstance(each, but_of):
                yield from _statements(each, but_of)


_PARTS = ("body", "handlers", "orelse", "finalbody", "cases")
"""The fields of a statement that hold statements, or what holds them"""


def _locate_all(tree: ast.AST, line: int) -> None:
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line  # type: ignore[attr-defined]


def _definition_of(handler: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The handler's own definition, with the lines of its file, if the source that is read now is that of its code."""
    own = handler.__code__
    linecache.checkcache(own.co_filename)
    lines = linecache.getlines(own.co_filename, handler.__globals__)[own.co_firstlineno - 1 :]
    for block in _blocks(lines, own):
        definition = _parsed(block, own.co_firstlineno)
        if definition is not None:
            definition.decorator_list = []
            module = ast.Module([definition], [])
            compiled = compile(module, own.co_filename, "exec", flags=own.co_flags & _FUTURES, dont_inherit=True)
            if _is_same(_code_named(definition.name, compiled), own):
                return definition
    return None


def _blocks(lines: list[str], code: CodeType) -> Iterator[list[str]]:
    """The lines of a function: to the end of its instructions, which is nearly always right, and then as they are indented."""
    yield lines[: max((end or 0 for _, end, _, _ in code.co_positions()), default=0) - code.co_firstlineno + 1]
    yield inspect.getblock(lines)


def _parsed(block: list[str], first: int) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The definition in these lines, the first of which has this number; docstrings keep their indentation."""
    is_indented = bool(block) and block[0][:1].isspace()
    before = "\n" * (first - 1 - is_indented) + "if True:\n" * is_indented
    try:
        module = ast.parse("".join([before, *block]))
    except SyntaxError:
        return None
    statements = cast(ast.If, module.body[0]).body if is_indented else module.body
    definition = statements[0] if statements else None
    return definition if isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _is_same(one: CodeType, other: CodeType) -> bool:
    """Whether two functions do the same: their instructions, names and constants, and so of the functions in them."""
    if (one.co_code, one.co_names, one.co_varnames) != (other.co_code, other.co_names, other.co_varnames):
        return False
    return len(one.co_consts) == len(other.co_consts) and all(map(_is_same_constant, one.co_consts, other.co_consts))


def _is_same_constant(one: object, other: object) -> bool:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return _is_same(one, other)
    return type(one) is type(other) and repr(one) == repr(other)


def _code_named(name: str, module: CodeType) -> CodeType:
    """The code of that function; Python 3.14 has another before it, which makes its annotations."""
    return next(each for each in module.co_consts if isinstance(each, CodeType) and each.co_name == name)


_FUTURES = functools.reduce(int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
"""The flags by which a code object says which `from __future__` imports its module has"""


def _without_docstring(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """The body, in which a docstring would be a line that runs."""
    return definition.body if ast.get_docstring(definition, clean=False) is None else definition.body[1:]


class _Inlining(ast.NodeTransformer):
    """Puts a handler's body in the place of the statement that calls it."""

    def __init__(self, definition: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> None:
        self._body = _without_docstring(definition)
        self._name = name
        self._subject = definition.args.args[0].arg

    def visit_Expr(self, node: ast.Expr) -> Any:
        """`_lc_handler()`: what it returns the method returns, unless it is settled(...)."""
        if not _calls_the_handler(node.value):
            return node
        returns = _Returns(self._subject)
        return [*returns.visit(ast.Module(self._body, [])).body, ast.Return()]  # it may end without a return

    def visit_Return(self, node: ast.Return) -> Any:
        """`return _lc_handler(...)`: the call has settled already."""
        return [*self._body, ast.Return()] if _calls_the_handler(node.value) else self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> Any:
        """`_lc_result = _lc_handler(...)`: the method goes on behind it."""
        if not _calls_the_handler(node.value):
            return node
        return self.assigned(node.targets)

    def assigned(self, targets: list[ast.expr]) -> list[ast.stmt]:
        """The body, which assigns what it returns. Raises TypeError where it returns elsewhere than at its end."""
        body = [ast.copy_location(ast.Assign(targets, ast.Constant(None)), self._body[0]), *self._body]
        _assign_at_the_end(body, targets)
        if any(isinstance(each, ast.Return) for each in _statements(ast.Module(body, []), but_of=_SCOPES)):
            raise TypeError(f"{self._name}() is inlined and changes the state, so it can only return at its end")
        return body

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.copy_location(ast.Constant(HANDLER), node) if node.id == HANDLER else node


def _calls_the_handler(value: ast.expr | None) -> bool:
    call = value.value if isinstance(value, ast.Await) else value
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == HANDLER


def _assign_at_the_end(body: list[ast.stmt], targets: list[ast.expr]) -> None:
    """Assign what the last statement returns, or those of its branches."""
    match body[-1]:
        case ast.Return(value=value) as last:
            body[-1] = ast.copy_location(ast.Assign(targets, value or ast.Constant(None)), last)
        case ast.If(body=first, orelse=other) | ast.Try(body=first, orelse=other, handlers=[]):
            _assign_at_the_end(first, targets)
            if other:
                _assign_at_the_end(other, targets)


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class _Zero(ast.NodeTransformer):
    """Puts 0 in the place of a parameter."""

    def __init__(self, parameter: str) -> None:
        self._parameter = parameter

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.copy_location(ast.Constant(0), node) if node.id == self._parameter else node


class _Returns(ast.NodeTransformer):
    """Allows settled(...) in what a handler returns, except for names and constants."""

    def __init__(self, subject: str) -> None:
        self._subject = subject

    def visit_Return(self, node: ast.Return) -> ast.stmt | list[ast.stmt]:
        match node.value:
            case None | ast.Name() | ast.Constant():
                return node
            case ast.BoolOp(ast.Or(), [_, last] as values):
                values[1] = ast.parse(f"{self._subject}._unsettled()", mode="eval").body
                values[1].args.append(last)  # type: ignore[attr-defined]
                _locate_all(values[1].func, last.lineno)  # type: ignore[attr-defined]
                values[1].lineno = values[1].end_lineno = last.lineno
                return node
        check = ast.parse(
            f"{PREFIX}result = 0\nif {PREFIX}result.__class__ is not {self._subject}._Settled:\n    return {PREFIX}result\n"
            f"raise {self._subject}._SettledEarly({PREFIX}result)"
        )
        _locate_all(check, node.lineno)
        cast(ast.Assign, check.body[0]).value = node.value
        return check.body

    def visit(self, node: ast.AST) -> Any:
        """Visit the node, but not functions and classes inside the handler, whose `return` statements are their own."""
        return node if isinstance(node, _SCOPES) else super().visit(node)
