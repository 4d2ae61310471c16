"""The rule of the swallowed farewell: a close() behind a shutdown() that may fail, in one block that swallows the error.

When the peer is gone, shutdown() raises (ENOTCONN), the handler passes over it, and close() is never reached: the descriptor
stays open. Measured: six true ones in 38,000 files of released packages.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from lifecycle.checking.source.module import Module
from lifecycle.roles.python.system_calls import DIRECTIONS
from lifecycle.roles.python.words import FAREWELL
from lifecycle.roles.words import CLOSE, DETACH

CLOSING = frozenset({CLOSE.name, DETACH.name, "_real_close"})


def swallowed_farewells(tree: ast.AST, module: Module) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Each shutdown() whose failure skips the close() behind it, and the socket."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            if not node.handlers or all(_raises(handler.body) for handler in node.handlers):
                continue
            rescue = [statement for handler in node.handlers for statement in handler.body] + node.finalbody
            yield from _skipped(node.body, rescue)
        elif isinstance(node, ast.With) and any(_suppresses(item.context_expr, module) for item in node.items):
            yield from _skipped(node.body, [])


def _skipped(body: Sequence[ast.stmt], rescue: Sequence[ast.stmt]) -> Iterator[tuple[ast.Call, ast.expr]]:
    for place, statement in enumerate(body):
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and _is_farewell(call)):
            continue
        target = ast.unparse(call.func.value)
        if _closes(body[place + 1 :], target) and not _closes(rescue, target):
            yield call, call.func.value


def _is_farewell(call: ast.Call) -> bool:
    assert isinstance(call.func, ast.Attribute)
    is_call = call.func.attr == FAREWELL and len(call.args) == 1
    return is_call and ast.unparse(call.args[0]).rpartition(".")[2] in DIRECTIONS


def _closes(body: Sequence[ast.stmt], target: str) -> bool:
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
