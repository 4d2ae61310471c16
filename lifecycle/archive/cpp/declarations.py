"""The declarations in C++ sources: classes with their members and bases, and Serialize functions, parsed by tree-sitter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Node = Any
"""A node of tree-sitter, the extra [cpp]."""

_MACROS = re.compile(r"\bAFX_\w*(CLASS|API|DATA)\b|\bDECLARE_\w+\s*\([^)]*\)\s*;?|\b(__declspec|AFX_COMDAT)\s*(\([^)]*\))?")
_EXPORTED = re.compile(r"\b(class|struct)\s+[A-Z][A-Z0-9_]+\s+(?=[A-Za-z_]\w*\s*[:{])")
_SERIAL = re.compile(r"\bIMPLEMENT_SERIAL\s*\(\s*(\w+)\s*,\s*(\w+)\s*,\s*([^)]*)\)")
_VERSIONABLE = re.compile(r"\bVERSIONABLE_SCHEMA\b\s*\|?|\|?\s*\bVERSIONABLE_SCHEMA\b")


@dataclass(frozen=True, slots=True)
class Member:
    """A member, or a variable: its type without pointers and arrays, whether it is a pointer, and the lengths of an array."""

    type: str
    is_pointer: bool = False
    lengths: tuple[str, ...] = ()


@dataclass(slots=True)
class Declared:
    """A class. schema: the text of its number in IMPLEMENT_SERIAL, or None. serialize: its function, and the archive's name."""

    name: str
    bases: tuple[str, ...] = ()
    members: dict[str, Member] = field(default_factory=dict)
    schema: str | None = None
    serialize: Node = None
    archive: str = "ar"
    place: str = ""


@dataclass(slots=True)
class Sources:
    """All declarations: classes, typedefs, enumerations with their numbers, and constants as text."""

    classes: dict[str, Declared] = field(default_factory=dict)
    typedefs: dict[str, Member] = field(default_factory=dict)
    enums: set[str] = field(default_factory=set)
    constants: dict[str, str] = field(default_factory=dict)

    def member(self, kind: str, name: str) -> Member | None:
        """A member of a class, or of one of its bases."""
        found = self.classes.get(kind)
        if found is None:
            return None
        return found.members.get(name) or next((each for base in found.bases if (each := self.member(base, name))), None)

    def resolved(self, kind: str) -> str:
        """The type that a typedef stands for; the type itself if it is not a typedef."""
        seen = {kind}
        while (meant := self.typedefs[kind].type if kind in self.typedefs else self.constants.get(kind, kind)) not in seen:
            kind = meant
            seen.add(kind)
        return kind


def text_of(node: Node) -> str:
    """The C++ text of a node, on one line."""
    return re.sub(r"\s+", " ", node.text.decode("utf-8", "replace")).strip()


def read_sources(files: Iterable[tuple[str, bytes]]) -> Sources:
    """The declarations of files, given as names and bytes. ImportError without tree-sitter and its grammar, the extra [cpp]."""
    language = import_module("tree_sitter")
    parser = language.Parser(language.Language(import_module("tree_sitter_cpp").language()))
    sources = Sources()
    for name, data in files:
        text = _decoded(data)
        for match in _SERIAL.finditer(text):
            declared = sources.classes.setdefault(match[1], Declared(match[1]))
            declared.schema = match[3].strip()
            declared.bases = declared.bases or (match[2],)
        clean = _EXPORTED.sub(r"\1 ", _MACROS.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), _SERIAL.sub("", text)))
        for node in _walk(parser.parse(clean.encode()).root_node):
            _READERS[node.type](sources, node, name)
    return sources


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _walk(node: Node) -> Iterator[Node]:
    """The nodes of declarations, except those inside functions."""
    rest = [node]
    while rest:
        node = rest.pop()
        if node.type in _READERS:
            yield node
        if node.type != "function_definition":
            rest += node.named_children[::-1]


def declarators(node: Node) -> Iterator[tuple[str, Member, Node]]:
    """The variables of a declaration: name, type, and initial value or None."""
    kind = node.child_by_field_name("type")
    if kind is None:
        return
    words = kind.child_by_field_name("name") if kind.type in _READERS else kind
    base = text_of(words) if words is not None else ""
    for declarator in node.children_by_field_name("declarator"):
        each = declarator
        value = each.child_by_field_name("value")
        pointer, lengths = False, []
        while each is not None and each.type not in ("identifier", "field_identifier", "type_identifier"):
            if each.type in ("function_declarator", "qualified_identifier"):
                break
            pointer = pointer or each.type == "pointer_declarator"
            if each.type == "array_declarator":
                size = each.child_by_field_name("size")
                lengths.append("" if size is None else text_of(size))
            each = each.child_by_field_name("declarator") or next(iter(each.named_children), None)
        if each is not None and each.type in ("identifier", "field_identifier", "type_identifier"):
            yield text_of(each), Member(base, pointer, tuple(lengths[::-1])), value


def _class(sources: Sources, node: Node, file: str) -> None:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is None or body is None:
        return
    declared = sources.classes.setdefault(text_of(name), Declared(text_of(name)))
    bases = [each for child in node.named_children if child.type == "base_class_clause" for each in child.named_children]
    declared.bases = tuple(text_of(each) for each in bases if each.type in ("type_identifier", "qualified_identifier"))
    declared.place = declared.place or f"{file}:{node.start_point[0] + 1}"
    rest = list(body.named_children)
    while rest:
        each = rest.pop(0)
        if each.type == "field_declaration":
            declared.members |= {name: member for name, member, _ in declarators(each)}
        elif each.type.startswith("preproc_"):
            rest += each.named_children


def _function(sources: Sources, node: Node, file: str) -> None:
    declarator = node.child_by_field_name("declarator")
    while declarator is not None and declarator.type in ("pointer_declarator", "reference_declarator"):
        declarator = declarator.named_children[-1]
    if declarator is None or declarator.type != "function_declarator":
        return
    name = declarator.child_by_field_name("declarator")
    parameters = declarator.child_by_field_name("parameters")
    if name is None or parameters is None or not parameters.named_children:
        return
    first = next(iter(declarators(parameters.named_children[0])), None)
    owner, _, called = text_of(name).rpartition("::")
    if called != "Serialize" or first is None or first[1].type != "CArchive":
        return
    above = node.parent.parent if node.parent is not None and node.parent.type == "field_declaration_list" else None
    owner = owner or (text_of(above.child_by_field_name("name")) if above is not None else "")
    if owner:
        declared = sources.classes.setdefault(owner, Declared(owner))
        declared.serialize, declared.archive = node.child_by_field_name("body"), first[0]
        declared.place = f"{file}:{node.start_point[0] + 1}"


def _typedef(sources: Sources, node: Node, file: str) -> None:
    for name, member, _ in declarators(node):
        sources.typedefs[name] = member


def _enum(sources: Sources, node: Node, file: str) -> None:
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if name is not None:
        sources.enums.add(text_of(name))
    before = ""
    for each in body.named_children if body is not None else ():
        if each.type == "enumerator":
            constant, value = text_of(each.child_by_field_name("name")), each.child_by_field_name("value")
            sources.constants[constant] = text_of(value) if value is not None else f"{before} + 1" if before else "0"
            before = constant


def _constant(sources: Sources, node: Node, file: str) -> None:
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is not None and value is not None:
        sources.constants[text_of(name)] = text_of(value).split("//")[0].strip(" ;")


_READERS = {
    "class_specifier": _class,
    "struct_specifier": _class,
    "function_definition": _function,
    "type_definition": _typedef,
    "enum_specifier": _enum,
    "preproc_def": _constant,
}


def schema_of(declared: Declared, sources: Sources) -> tuple[str, bool]:
    """The schema number as text (as a number if it can be computed), and whether the class is versionable."""
    text, versionable = declared.schema or "0", False
    for _ in range(9):
        versionable = versionable or _VERSIONABLE.search(text) is not None
        text = _VERSIONABLE.sub("", text).strip(" ()|") or "0"
        text = sources.constants.get(text, text)
    return re.sub(r"[uUlL]+$", "", text), versionable
