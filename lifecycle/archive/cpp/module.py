"""Writes a Python module with all classes whose Serialize function was found, and the classes of their members."""

from __future__ import annotations

import re
from dataclasses import dataclass

import lifecycle.archive as package
from lifecycle.archive.cpp.declarations import Declared, Sources, schema_of
from lifecycle.archive.cpp.expressions import python_name
from lifecycle.archive.cpp.statements import BY_HAND, UNTYPED, Body
from lifecycle.archive.cpp.types import WIRES, first_value

DOCUMENTS = ("CDocument", "COleDocument", "COleServerDoc", "CRichEditDoc")

_LOAD = '''


def load(data: bytes, unicode: bool = True, encoding: str = "cp1252"):
    """The document in `data`; unicode: how the program was built."""
    with Archive(BytesIO(data), "load", unicode=unicode, encoding=encoding) as archive:
        archive.document = document = {0}()
        document.serialize(archive)
    return document


def store(document, unicode: bool = True, encoding: str = "cp1252") -> bytes:
    """The bytes of a document."""
    file = BytesIO()
    with Archive(file, "store", unicode=unicode, encoding=encoding) as archive:
        archive.document = document
        document.serialize(archive)
    return file.getvalue()
'''


@dataclass(frozen=True, slots=True)
class Written:
    """A module: its text, its classes, and the numbers of marked lines: types not found, and statements to write by hand."""

    text: str
    classes: tuple[str, ...]
    untyped: int
    by_hand: int


def module_of(sources: Sources) -> Written:
    """The module; bases come before derived classes."""
    named = [each for each in sources.classes.values() if each.serialize is not None]
    bodies = {each.name: Body(each, sources) for each in named}
    constants = set().union(*(body.scope.constants for body in bodies.values())) if bodies else set()
    text = "\n".join("\n".join(body.lines) for body in bodies.values())
    held = _held(sources, named, text)
    chunks = [_class(each, sources, bodies.get(each.name)) for each in _by_base(sources, [*held, *named])]
    lines = _constants(sources, constants)
    document = next((each.name for each in reversed(named) if set(each.bases) & set(DOCUMENTS)), None)
    document = document or next((each.name for each in reversed(named) if each.name.endswith(("Doc", "Document"))), None)
    body = "\n\n\n".join([*(["\n".join(lines)] if lines else []), *chunks]) + (_LOAD.format(document) if document else "")
    names = sorted(name for name in package.__all__ if re.search(rf"\b{name}\b", body))
    untyped, by_hand = body.count(f"# {UNTYPED}"), body.count(f"# {BY_HAND}")
    head = [f'"""Classes of C++ Serialize functions: {untyped} types not found, {by_hand} statements to write by hand."""', ""]
    modules = [
        f"from {module} import {name}" for module, name in (("copy", "deepcopy"), ("io", "BytesIO")) if f"{name}(" in body
    ]
    head += ["from __future__ import annotations", "", *modules, *([""] if modules else [])]
    head += ["from lifecycle.archive import (", *(f"    {name}," for name in names), ")"] if names else []
    head += ["", f"{UNTYPED} = None  # stands where the sources do not say the type: no archive takes it"] if untyped else []
    return Written("\n".join(head) + "\n\n\n" + body.rstrip() + "\n", tuple(each.name for each in named), untyped, by_hand)


def _held(sources: Sources, named: list[Declared], text: str) -> list[Declared]:
    """Classes without a Serialize function that the others use: structs and bases."""
    known = {each.name for each in named}
    found: dict[str, Declared] = {}
    rest = list(named)
    while rest:
        each = rest.pop()
        wanted = {*each.bases, *(sources.resolved(member.type) for member in each.members.values() if not member.is_pointer)}
        wanted |= {name for name in sources.classes if re.search(rf"\b{name}\(\)", text)} if each is named[0] else set()
        for name in wanted - known - set(found) - set(WIRES):
            if name in sources.classes and (sources.classes[name].members or sources.classes[name].bases):
                found[name] = sources.classes[name]
                rest.append(found[name])
    return list(found.values())


def _by_base(sources: Sources, classes: list[Declared]) -> list[Declared]:
    chosen = {each.name: each for each in classes}
    ordered: dict[str, Declared] = {}

    def add(each: Declared, depth: int = 0) -> None:
        for base in each.bases:
            if base in chosen and depth < len(chosen):
                add(chosen[base], depth + 1)
        ordered.setdefault(each.name, each)

    for each in classes:
        add(each)
    return list(ordered.values())


def _class(declared: Declared, sources: Sources, body: Body | None) -> str:
    bases = [base for base in declared.bases if base in sources.classes and base != declared.name]
    bases = [base for base in bases if sources.classes[base].members or sources.classes[base].serialize is not None]
    lines = []
    if body is not None:
        schema, versionable = schema_of(declared, sources)
        number = schema if re.fullmatch(r"\d+|0x[0-9a-fA-F]+", schema) else f"0  # {UNTYPED}: {schema}\n"
        more = ", versionable=True" if versionable else ""
        lines.append(f'@serializable("{declared.name}", {number}{more})')
    lines += [f"class {declared.name}{'(' + ', '.join(bases) + ')' if bases else ''}:", f'    """{declared.place}."""', ""]
    lines += ["    def __init__(self):", *(["        super().__init__()"] if bases else [])]
    lines += [
        f"        self.{python_name(name)} = {first_value(member, sources)}"
        for name, member in declared.members.items()
        if member.type != declared.name or member.is_pointer
    ]
    if not bases and not declared.members:
        lines.append("        pass")
    if body is not None:
        lines += ["", f"    def serialize(self, {declared.archive}):", *body.lines]
    return "\n".join(lines)


def _constants(sources: Sources, used: set[str]) -> list[str]:
    """The constants that the functions use, directly or indirectly, if their values are numbers or texts."""
    lines: dict[str, str] = {}
    due = sorted(used, reverse=True)
    begun: set[str] = set()
    while due:
        name = due[-1]
        value = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", sources.constants[name])
        needed = [other for other in re.findall(r"\b[A-Za-z_]\w*\b", value) if other in sources.constants]
        if name not in begun:
            begun.add(name)
            due += [other for other in reversed(needed) if other not in begun]
            continue
        due.pop()
        simple = re.fullmatch(r'[\w\s()+*|<>-]+|"[^"\\]*"|\d*\.\d+', value)
        lines.setdefault(name, f"{name} = {value}" if simple else f"{name} = None  # {UNTYPED}: {value}")
    return list(lines.values())
