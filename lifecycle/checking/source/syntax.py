"""The syntax of a function: its names, the exceptions that its `try` catches, the object that its `with` closes."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from lifecycle.checking.source.module import Function, Module, names_read

CLOSING = frozenset({"contextlib.aclosing", "contextlib.closing"})

BROAD = frozenset({"BaseException", "EnvironmentError", "Exception", "IOError", "OSError", "error", "socket.error"})
"""exceptions that a failing socket call raises, or bases of them"""

REFUSALS = frozenset({"IllegalCall", "lifecycle.IllegalCall"})
"""exceptions that only a mistake raises: a program that catches them makes it on purpose"""


def first_parameter(function: Function) -> str:
    arguments = (*function.args.posonlyargs, *function.args.args)
    return arguments[0].arg if arguments else ""


def parameters(function: Function) -> frozenset[str]:
    """The names of its parameters."""
    return frozenset(each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg))


def assigned_names(body: Sequence[ast.stmt]) -> frozenset[str]:
    """The names that this body assigns: they are its own, whatever the module imports."""
    nodes = (node for statement in body for node in ast.walk(statement))
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def shared_names(body: Sequence[ast.stmt]) -> frozenset[str]:
    """The names that functions inside this body read, and those that it shares with others."""
    found: set[str] = set()
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, Function | ast.ClassDef | ast.Lambda):
                found |= names_read(node)
            elif isinstance(node, ast.Global | ast.Nonlocal):
                found.update(node.names)
    return frozenset(found)


def closed_thing(context: ast.expr, module: Module) -> ast.expr | None:
    """The object that contextlib.closing() closes at the end of the block."""
    if isinstance(context, ast.Call) and len(context.args) == 1 and module.dotted(context.func) in CLOSING:
        return context.args[0]
    return None


def exception_names(node: ast.expr) -> set[str]:
    """The names of the exceptions that a handler catches."""
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    return {ast.unparse(each) for each in nodes} | {each.attr for each in nodes if isinstance(each, ast.Attribute)}


def is_irrefutable(case: ast.match_case) -> bool:
    """Whether the case matches whatever is left: `case _` or a name."""
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def expects_failure(node: ast.Try | ast.TryStar) -> bool:
    """Whether the block fails the test if nothing is raised: by fail(), or by an AssertionError, after the calls."""
    last = [*node.body[-1:], *node.orelse]
    return any(
        isinstance(each, ast.Raise) or (isinstance(each, ast.Call) and ast.unparse(each.func).rpartition(".")[2] == "fail")
        for statement in last
        for each in ast.walk(statement)
    )
