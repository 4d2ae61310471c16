"""The rule of the swallowed farewell: a close() behind a shutdown() that may fail, in one block that swallows the error.

When the peer is gone, shutdown() raises (ENOTCONN), the handler passes over it, and close() is never reached: the descriptor
stays open. Measured: six true ones in 38,000 files of released packages.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lifecycle.checking.source.module import Function, Module
from lifecycle.checking.source.syntax import parameters
from lifecycle.roles.python.system_calls import DIRECTIONS
from lifecycle.roles.python.words import FAREWELL
from lifecycle.roles.words import CLOSE, DETACH

CLOSING = frozenset({CLOSE.name, DETACH.name, "_real_close"})


@dataclass(frozen=True, slots=True)
class Later:
    """The statements after a statement: the rest of its block, from `place` on, then those after that block."""

    block: Sequence[ast.stmt]
    place: int
    outer: Later | None

    def statements(self) -> Iterator[ast.stmt]:
        """All of them."""
        here: Later | None = self
        while here is not None:
            yield from here.block[here.place :]
            here = here.outer


def swallowed_farewells(tree: ast.Module, module: Module) -> Iterator[tuple[ast.Call, ast.expr, bool]]:
    """Each shutdown() whose failure skips the close() behind it, unless the socket is closed later anyway.

    Beside the call stand the socket, and whether it is a parameter: then the caller has it too, and may close it.
    """
    owners: list[ast.Module | Function] = [tree, *(node for node in ast.walk(tree) if isinstance(node, Function))]
    for owner in owners:
        given = () if isinstance(owner, ast.Module) else parameters(owner)
        for call, target in _in_block(owner.body, None, module):
            yield call, target, isinstance(target, ast.Name) and target.id in given


def _in_block(body: Sequence[ast.stmt], outer: Later | None, module: Module) -> Iterator[tuple[ast.Call, ast.expr]]:
    for place, statement in enumerate(body):
        later = behind = Later(body, place + 1, outer)
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                continue
            case ast.Try() | ast.TryStar():
                later = Later(statement.finalbody, 0, behind)
                if statement.handlers and not all(_raises(handler.body) for handler in statement.handlers):
                    handled = [each for handler in statement.handlers for each in handler.body]
                    yield from _skipped(statement.body, Later(handled, 0, later))
            case ast.With() if any(_suppresses(item.context_expr, module) for item in statement.items):
                yield from _skipped(statement.body, later)
        for block in _blocks(statement):
            yield from _in_block(block, later, module)
        yield from _in_block(getattr(statement, "finalbody", ()), behind, module)


def _blocks(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    """The blocks of a statement, but what runs last."""
    for name in ("body", "orelse"):
        yield getattr(statement, name, ())
    for each in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield each.body


def _skipped(body: Sequence[ast.stmt], rescue: Later) -> Iterator[tuple[ast.Call, ast.expr]]:
    for place, statement in enumerate(body):
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and _is_farewell(call)):
            continue
        target = ast.unparse(call.func.value)
        if _closes(body[place + 1 :], target) and not _closes(rescue.statements(), target):
            yield call, call.func.value


def _is_farewell(call: ast.Call) -> bool:
    assert isinstance(call.func, ast.Attribute)
    is_call = call.func.attr == FAREWELL and len(call.args) == 1
    return is_call and ast.unparse(call.args[0]).rpartition(".")[2] in DIRECTIONS


def _closes(body: Iterable[ast.stmt], target: str) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOSING
        and ast.unparse(node.func.value) == target
        for statement in body
        for node in ast.walk(statement)
    )


def _raises(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Raise) for statement in body for node in ast.walk(statement))


def _suppresses(context: ast.expr, module: Module) -> bool:
    return isinstance(context, ast.Call) and module.dotted(context.func) == "contextlib.suppress"
