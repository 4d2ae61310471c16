"""What a class keeps in the attributes of `self`: the objects that one method finds there and another one has made."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from lifecycle.checking.source.constructors import ANY_SOCKET, KINDS, Constructor
from lifecycle.checking.source.environment import Environment, Site, Sites
from lifecycle.checking.source.module import Function, Module
from lifecycle.checking.source.points import Machine
from lifecycle.checking.source.syntax import first_parameter

KEPT = (0,)
"""the last part of the Site of an object that a method finds in an attribute"""


@dataclass(frozen=True, slots=True)
class Kept:
    """The objects of one attribute. site: the place that makes the first of them."""

    site: Site
    machine: Machine


def kept_by(module: Module, owner: str, constructors: Mapping[str, Constructor]) -> dict[str, Kept]:
    """Attribute -> what it has, for those to which the class assigns nothing else than such objects, and None."""
    methods = module.classes.get(owner, {})
    found: dict[str, list[Kept | None]] = {}
    for method in methods.values():
        own, nodes = first_parameter(method), list(ast.walk(method))
        assigned = [each for node in nodes for each in _assignments(node) if _is_attribute(each[0], own)]
        known = {id(target) for target, _, _ in assigned}
        for target, value, place in assigned:
            if not (isinstance(value, ast.Constant) and value.value is None):
                found.setdefault(_name(target), []).append(_made(value, place, module, constructors))
        for node in nodes:
            if _is_attribute(node, own) and isinstance(node.ctx, ast.Store) and id(node) not in known:  # type: ignore[attr-defined]
                found.setdefault(_name(node), []).append(None)
    return {
        name: Kept(first.site, first.machine if len({each.machine for each in kept if each}) == 1 else ANY_SOCKET)
        for name, kept in found.items()
        if name not in methods and None not in kept and (first := kept[0]) is not None
    }


def uses_one(function: Function, names: Collection[str]) -> bool:
    """Whether the function names one of these attributes of its first parameter."""
    own = first_parameter(function)
    return any(_is_attribute(node, own) and _name(node) in names for node in ast.walk(function))


def forget_kept(env: Environment) -> None:
    """What was called may have given the attributes other objects, which have escaped long ago."""
    for name in [name for name, sites in env.names.items() if any(site[2] == KEPT for site in sites)]:
        del env.names[name]


def renamed(env: Environment, old: str, new: str) -> dict[str, Sites]:
    """The attributes of `self`, under the name that it has in another method."""
    return {f"{new}.{name.partition('.')[2]}": sites for name, sites in env.names.items() if name.startswith(f"{old}.")}


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr, int]]:
    """Target, value, and the place of the target in a tuple, or -1."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value, -1
    for target in node.targets if isinstance(node, ast.Assign) else ():
        assert isinstance(node, ast.Assign)
        if isinstance(target, ast.Tuple):
            yield from ((each, node.value, place) for place, each in enumerate(target.elts))
        else:
            yield target, node.value, -1


def _made(value: ast.expr, place: int, module: Module, constructors: Mapping[str, Constructor]) -> Kept | None:
    call = value.value if isinstance(value, ast.Await) else value
    dotted = module.dotted(call.func) if isinstance(call, ast.Call) else None
    if not isinstance(call, ast.Call) or dotted is None or dotted not in constructors:
        return None
    made = constructors[dotted](call, module.dotted)
    if made is None or not made.points or (place not in (0, 1) if made.pair else place != made.place):
        return None
    machines = {point.machine for point in made.points}
    if len(machines) > 1 and not machines <= set(KINDS.values()):
        return None
    return Kept((call.lineno, call.col_offset, KEPT), machines.pop() if len(machines) == 1 else ANY_SOCKET)


def _is_attribute(node: ast.AST, own: str) -> bool:
    return bool(own) and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == own


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""
