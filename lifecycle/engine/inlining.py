"""Compiles a handler's body into its checked method: the call is one frame, under the handler's own file and lines."""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

from lifecycle.engine.signatures import PREFIX, Signature, finished, keywords_of
from lifecycle.engine.vocabulary import Call

Handler = TypeVar("Handler", bound=Callable[..., Any])


def inlined(handler: Handler) -> Handler:
    """Have this handler's body compiled into its checked method, so that the call is one frame.

    A `return` of a name or a constant ends the call with `ok`, which must keep the state, and gives it to the caller as it
    is; any other returned expression may be settled(...). The handler has no closure and no zero-argument super(). Where its
    source cannot be read, it runs in a frame of its own, as every other handler.
    """
    handler.__inlined__ = True  # type: ignore[attr-defined]
    return handler


_INLINED = """\
{async_}def {name}({parameters}):
    _lc_node = {self}._node
    if not _lc_node._keeps_{name}:
        return {await_}{self}.{run}({name!r}, "_lc_handler", ({positional}), {{{keywords}}})
    try:
        pass
    except {self}._SettledEarly as _lc_early:
        _lc_result = _lc_early.settled
    except BaseException as _lc_error:
        {self}._settle_error(_lc_node, {name!r}, _lc_error)
        raise
    return {self}._settle_result(_lc_node, {name!r}, _lc_result)
"""


def inlined_method(call: Call, handler: FunctionType, *, awaited: bool) -> FunctionType | None:
    """The checked method with the handler's body in it; None where the handler's source is not available."""
    if handler.__code__.co_freevars:
        raise TypeError(f"{handler.__qualname__}() is inlined, so that it cannot use a closure or super() without arguments")
    signature = Signature(handler)
    definition = _definition_of(handler)
    if definition is None:
        return None
    source = _INLINED.format(
        name=call.name,
        run="_run_awaited_call" if awaited else "_run_call",
        **signature.texts,
        **keywords_of(awaited),
    )
    module = ast.parse(source)
    for node in ast.walk(module):
        _locate(node, definition.lineno)  # the check belongs to the line of the `def`
    (method,) = module.body
    (attempt,) = (node for node in cast(ast.FunctionDef, method).body if isinstance(node, ast.Try))
    returns = _Returns(signature.texts["self"])
    attempt.body = [
        *returns.visit(ast.Module(_without_docstring(definition), [])).body,
        ast.Return(),
    ]  # it may end without a return
    _locate(attempt, attempt.body[0].lineno)  # the same line costs no instruction
    flags = handler.__code__.co_flags & _FUTURES
    code = compile(ast.fix_missing_locations(module), handler.__code__.co_filename, "exec", flags=flags, dont_inherit=True)
    own = _code_named(call.name, code)
    # The handler is a constant of the code: a variable would cost each call, and the module's names are not ours.
    own = own.replace(co_consts=tuple(handler if constant == "_lc_handler" else constant for constant in own.co_consts))
    made = FunctionType(own, handler.__globals__, call.name, handler.__defaults__)
    made.__kwdefaults__ = handler.__kwdefaults__
    return finished(made, handler)


def _locate(node: ast.AST, line: int) -> None:
    if hasattr(node, "lineno"):
        node.lineno = node.end_lineno = line  # type: ignore[attr-defined]


def _definition_of(handler: FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The handler's own definition, with the lines of its file, if the source that is read now is that of its code."""
    try:
        lines, first = inspect.getsourcelines(handler)
        module = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    ast.increment_lineno(module, first - 1)
    definition = module.body[0]
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    definition.decorator_list = []
    flags = handler.__code__.co_flags & _FUTURES
    compiled = compile(module, handler.__code__.co_filename, "exec", flags=flags, dont_inherit=True)
    found, own = _code_named(definition.name, compiled), handler.__code__
    return definition if (found.co_code, found.co_names) == (own.co_code, own.co_names) else None


def _code_named(name: str, module: CodeType) -> CodeType:
    """The code of that function; Python 3.14 has another before it, which makes its annotations."""
    return next(each for each in module.co_consts if isinstance(each, CodeType) and each.co_name == name)


_FUTURES = functools.reduce(int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
"""The flags by which a code object says which `from __future__` imports its module has"""


def _without_docstring(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """The body, in which a docstring would be a line that runs."""
    return definition.body if ast.get_docstring(definition, clean=False) is None else definition.body[1:]


class _Returns(ast.NodeTransformer):
    """Lets what a handler returns be settled(...), but for names and constants."""

    def __init__(self, subject: str) -> None:
        self._subject = subject

    def visit_Return(self, node: ast.Return) -> ast.stmt | list[ast.stmt]:
        if node.value is None or isinstance(node.value, ast.Name | ast.Constant):
            return node
        check = ast.parse(
            f"{PREFIX}result = 0\nif {PREFIX}result.__class__ is not {self._subject}._Settled:\n    return {PREFIX}result\n"
            f"raise {self._subject}._SettledEarly({PREFIX}result)"
        )
        for each in ast.walk(check):
            _locate(each, node.lineno)
        cast(ast.Assign, check.body[0]).value = node.value
        return check.body

    def visit(self, node: ast.AST) -> Any:
        """As ever, but for functions and classes inside the handler: what they return is their own."""
        is_own = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef)
        return node if is_own else super().visit(node)
