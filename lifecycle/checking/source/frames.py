"""The function that is being read, and the values of its expressions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from lifecycle.checking.source.environment import Environment, Site, Sites

Value = Sites | tuple["Value", ...] | None
"""the value of an expression: objects, a tuple, or None if it is not known"""


@dataclass(slots=True)
class Frame:
    """One function that is being read.

    owner: its class. self_name: its first parameter, in a method. shared: the names that nested functions may use.
    assigned: those that the function assigns. lines: of
    the calls under which it is read. branches: how many statements deep it may be left out. unwinding: what runs when it is
    left early: objects of `with` that are closed, and `finally` blocks.
    """

    owner: str = ""
    self_name: str = ""
    shared: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()
    lines: tuple[int, ...] = ()
    branches: int = 0
    returns: list[tuple[Value, Environment]] = field(default_factory=list)
    unwinding: list[Sites | list[ast.stmt]] = field(default_factory=list)


def flat(value: Value) -> Iterator[Site]:
    """All objects of a value."""
    if isinstance(value, tuple):
        for each in value:
            yield from flat(each)
    elif value is not None:
        yield from value


def children(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions directly inside a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif isinstance(child, ast.keyword | ast.FormattedValue | ast.comprehension):
            yield from children(child)
