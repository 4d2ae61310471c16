"""The guards around a call: a library's query, or a `try` of the program that expects an error."""

from __future__ import annotations

import ast
import builtins
import linecache
import os
from collections.abc import Iterator
from enum import IntEnum
from types import CodeType, FrameType, ModuleType
from typing import NamedTuple

from lifecycle.checking.call_sites import SSL, STDLIB, CallSite, FileKind, is_loop, kind_of, kinds
from lifecycle.roles.python.words import ENDING, ORDER_ERRORS

_PROGRAM, _LOOP = FileKind.PROGRAM, FileKind.LOOP


class Guard(IntEnum):
    """How a `try` or a `with suppress()` treats an OSError. HANDLED: by some code. SWALLOWED: by none."""

    NONE = 0
    HANDLED = 1
    SWALLOWED = 2


class Standing(IntEnum):
    """How an illegal call is judged.

    QUESTION: it is not reported. NOTE: as a habit of careful programs. MISTAKE: as a mistake.
    """

    QUESTION = 0
    NOTE = 1
    MISTAKE = 2


_PROBES = frozenset({(SSL, "_create")})
"""(file, function) of the standard library that makes a call to learn the state from its error"""

_WRAPPERS = 3  # frames of packages and of the program between the call and the `try` around it
_DEEPEST = 12  # all frames, including those of a mock of the socket


def standing(frame: FrameType, *, asks: bool, expected: bool, is_over: bool) -> Standing:
    """How an illegal call that `frame` makes is judged.

    asks: careful libraries make the call in any state, inside a `try`. expected: so may the program, in this one. is_over: the
    socket was closed or shut down, so that a program may make the call to learn of it, if it swallows the error.
    """
    caller: FrameType | None = frame
    passed = frames = 0
    is_own = False
    while caller is not None and passed < _WRAPPERS and frames < _DEEPEST:
        code = caller.f_code
        kind = kind_of(code.co_filename)
        if (code.co_filename, code.co_name) in _PROBES:
            return Standing.QUESTION
        if is_loop(code):
            break
        if kind is FileKind.PROGRAM:
            is_own = True
            guard = guard_of(caller)
            if (guard is Guard.SWALLOWED and is_over) or (guard and expected):
                return Standing.NOTE
            if not expected:
                break
        elif is_own:
            break
        elif kind is not FileKind.INTERNAL and asks and has_handler(code, caller.f_lasti):
            return Standing.QUESTION
        passed += kind <= FileKind.INSTALLED
        frames += 1
        caller = caller.f_back
    return Standing.MISTAKE


def is_tried(frame: FrameType | None) -> bool:
    """Whether a library makes the call at `frame` in a `try` that ignores errors, so that success does not matter."""
    passed = 0
    while frame is not None and passed < _WRAPPERS:
        kind = kind_of(frame.f_code.co_filename)
        if kind is _PROGRAM or kind is _LOOP:
            return False
        if kind is not FileKind.INTERNAL:
            if guard_of(frame) is Guard.SWALLOWED:
                return True
            passed += 1
        frame = frame.f_back
    return False


def is_asked_for(closed: CallSite) -> bool:
    """Whether the line of the program closes the socket, or calls a library's function that is named after an end.

    A library function with another purpose, such as sending an answer, may also close the socket; the program did not ask for
    that.
    """
    return not closed.library or ENDING.search(closed.asked) is not None


class _Region(NamedTuple):
    """The lines of a `try` or `with`, the exceptions that it takes (None: all), what happens to them, and in which line."""

    first: int
    last: int
    taken: tuple[ast.expr, ...] | None
    guard: Guard
    handler: int


_regions: dict[str, tuple[_Region, ...]] = {}


def guard_of(frame: FrameType, error: type[Exception] = OSError) -> Guard:
    """The guard of the line where `frame` is, by its source; NONE if that cannot be read."""
    region = _region_of(frame, error)
    return Guard.NONE if region is None else region.guard


def caught_at(frame: FrameType | None, error: type[Exception]) -> CallSite | None:
    """The line of the program that catches an error raised in `frame`; None if none does."""
    while frame is not None and not is_loop(frame.f_code):
        region = _region_of(frame, error) if kind_of(frame.f_code.co_filename) is FileKind.PROGRAM else None
        if region is not None:
            return CallSite(frame.f_code.co_filename, region.handler, frame.f_code.co_name)
        frame = frame.f_back
    return None


def _region_of(frame: FrameType, error: type[Exception]) -> _Region | None:
    file = frame.f_code.co_filename
    if file not in _regions:
        lines = linecache.getlines(file, frame.f_globals)
        try:
            _regions[file] = tuple(_read(ast.parse("".join(lines))))
        except (SyntaxError, ValueError):
            _regions[file] = ()
    around = [each for each in _regions[file] if each.first <= frame.f_lineno <= each.last]
    for region in sorted(around, key=lambda each: each.last - each.first):
        if region.taken is None or any(_takes(each, frame, error) for each in region.taken):
            return region
    return None


def _read(tree: ast.AST) -> Iterator[_Region]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Try, ast.TryStar)):
            for handler in node.handlers:
                taken = None if handler.type is None else _each(handler.type)
                is_raised = any(isinstance(each, ast.Raise) for part in handler.body for each in _passed_through(part))
                guard = Guard.SWALLOWED if all(map(_does_nothing, handler.body)) else Guard.HANDLED
                yield _Region(*_lines(node.body), taken, Guard.NONE if is_raised else guard, handler.lineno)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                context = item.context_expr
                if isinstance(context, ast.Call) and ast.unparse(context.func).rpartition(".")[2] == "suppress":
                    yield _Region(*_lines(node.body), tuple(context.args), Guard.SWALLOWED, node.lineno)


def _passed_through(statement: ast.stmt) -> Iterator[ast.AST]:
    """What may run for an error of the order: not the other branch of an `if` that asks for such an error by name."""
    if isinstance(statement, ast.If) and isinstance(statement.test, ast.Compare):
        names = {each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in ast.walk(statement.test)}
        if isinstance(statement.test.ops[0], (ast.In, ast.Eq)) and not names.isdisjoint(ORDER_ERRORS):
            yield from (each for part in statement.body for each in ast.walk(part))
            return
    yield from ast.walk(statement)


def _each(types: ast.expr) -> tuple[ast.expr, ...]:
    return tuple(types.elts) if isinstance(types, ast.Tuple) else (types,)


def _lines(body: list[ast.stmt]) -> tuple[int, int]:
    return body[0].lineno, body[-1].end_lineno or body[-1].lineno


def _does_nothing(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, (ast.Return, ast.Expr)) else None
    is_plain = value is None or isinstance(value, ast.Constant)
    return is_plain and isinstance(statement, (ast.Pass, ast.Return, ast.Break, ast.Continue, ast.Expr))


def _takes(kind: ast.expr, frame: FrameType, error: type[Exception]) -> bool:
    """Whether the exception that the expression names covers every such error; True for an unknown one."""
    value = _value(kind, frame)
    kinds = value if isinstance(value, tuple) else (value,)
    return any(not isinstance(each, type) or issubclass(error, each) for each in kinds)


def _value(expression: ast.expr, frame: FrameType) -> object:
    """The value of a name, or of a module's attribute, without running any of the program's code."""
    if isinstance(expression, ast.Name):
        return frame.f_globals.get(expression.id, getattr(builtins, expression.id, None))
    if isinstance(expression, ast.Attribute):
        owner = _value(expression.value, frame)
        return vars(owner).get(expression.attr) if isinstance(owner, ModuleType) else None
    return None


def has_handler(code: CodeType, instruction: int) -> bool:
    """Whether the instruction at that offset is inside a `try` or a `with`, by the code's exception table."""
    table = iter(getattr(code, "co_exceptiontable", b""))  # PyPy has none

    def number() -> int:
        byte = next(table)
        value = byte & 63
        while byte & 64:
            byte = next(table)
            value = value << 6 | byte & 63
        return value

    try:
        while True:
            start, length = number() * 2, number() * 2
            number()  # the handler's offset
            number()  # and its stack depth
            if start <= instruction < start + length:
                return True
    except StopIteration:
        return False


_TRANSPORTS = os.path.join(STDLIB, "asyncio", "selector_events.py")
_SAFE_RACES = frozenset({(_TRANSPORTS, "_write_to_self")})
"""(file, function) of the standard library whose call may run while the socket is closed, and that expects it"""


def is_safe_race(frame: FrameType) -> bool:
    """Whether the socket may be closed during the call that `frame` makes without harm."""
    caller = frame.f_back
    return caller is not None and (caller.f_code.co_filename, caller.f_code.co_name) in _SAFE_RACES


def is_in_finalizer(frame: FrameType) -> bool:
    """Whether the finalizer of a library's object, which itself warns that it was never closed, makes the call at `frame`."""
    caller: FrameType | None = frame
    while caller is not None:
        code = caller.f_code
        kind = kinds[code.co_filename]
        if code.co_name == "__del__":
            is_library = kind in (FileKind.LIBRARY, FileKind.INSTALLED)
            return is_library and not _was_refused(caller) and ResourceWarning.__name__ in (*code.co_names, *code.co_varnames)
        if kind is _PROGRAM or (kind is _LOOP and is_loop(code)):
            break
        caller = caller.f_back
    return False


def _was_refused(frame: FrameType) -> bool:
    """Whether it is the finalizer of a transport that asyncio could not finish, since its server was closed: the program has
    never had it."""
    transport = frame.f_locals.get("self")
    is_of_server = frame.f_code.co_filename == _TRANSPORTS and getattr(transport, "_server", None) is not None
    return is_of_server and not hasattr(transport, "_eof")


def finalizes(frame: FrameType) -> bool:
    """Whether a finalizer makes the call at `frame`, itself or by what it calls."""
    caller: FrameType | None = frame
    while caller is not None and caller.f_code.co_name != "__del__":
        caller = caller.f_back
    return caller is not None


def is_in_repr(frame: FrameType) -> bool:
    """Whether repr() of the socket makes the call at `frame`; the interpreter does so too, for a warning."""
    caller = frame.f_back
    while caller is not None and kind_of(caller.f_code.co_filename) is FileKind.INTERNAL:
        if caller.f_code.co_name == "__repr__":
            return True
        caller = caller.f_back
    return False
