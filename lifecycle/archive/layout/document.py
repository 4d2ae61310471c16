"""A document whose classes are partly known: each object's known fields as a dataclass, and all other bytes unchanged.

Storing writes the same bytes whatever the classes say: fields that would be stored differently stay raw.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from lifecycle.archive.archive import Archive
from lifecycle.archive.errors import ArchiveError
from lifecycle.archive.layout.bodies import bodies


@dataclass(slots=True)
class Stored:
    """An object: its class's name, its tag, the known fields (None if they do not fit), and the rest."""

    name: str
    tag: bytes
    fields: Any
    rest: bytes


@dataclass(slots=True)
class Document:
    """A document: the bytes before the first object, and the objects in the order of their tags."""

    head: bytes
    objects: list[Stored]

    def known(self) -> dict[str, tuple[int, int, int]]:
        """For each class: the number of objects, the number whose fields fit, and the number of raw bytes."""
        objects, fitting, raw = Counter[str](), Counter[str](), Counter[str]()
        for each in self.objects:
            objects[each.name] += 1
            fitting[each.name] += each.fields is not None
            raw[each.name] += len(each.rest)
        return {name: (objects[name], fitting[name], raw[name]) for name in objects}


class Layout:
    """The dataclasses of a program's classes, by their names in the file; the module that `--layout` writes makes one.

    classes: with fields of wire types, without the unknown tail. encoding: the ANSI code page.
    """

    def __init__(self, classes: dict[str, type[Any]], *, encoding: str = "cp1252") -> None:
        self.classes = classes
        self.encoding = encoding

    def load(self, data: Any) -> Document:
        """The document in `data`; no bytes make it raise."""
        objects: list[Stored] = []
        head = len(data)
        for body in bodies(data, encoding=self.encoding):
            head = min(head, body.tag)
            whole = bytes(data[body.start : body.end])
            fields, size = self._fields(body.name, whole)
            objects.append(Stored(body.name, bytes(data[body.tag : body.start]), fields, whole[size:]))
        return Document(bytes(data[:head]), objects)

    def store(self, document: Document) -> bytes:
        """The bytes of a document; ValueError or TypeError, naming the field, for a value that does not fit."""
        parts = [document.head]
        for each in document.objects:
            parts += (each.tag, b"" if each.fields is None else self._stored(each.fields), each.rest)
        return b"".join(parts)

    def _fields(self, name: str, body: bytes) -> tuple[Any, int]:
        kind = self.classes.get(name)
        if kind is None:
            return None, 0
        try:
            with Archive(BytesIO(body), "load", encoding=self.encoding) as archive:
                fields = archive.load(kind)
                size = archive.offset
            same = self._stored(fields) == body[:size]
        except (ArchiveError, ValueError, TypeError):
            return None, 0
        return (fields, size) if same else (None, 0)

    def _stored(self, fields: Any) -> bytes:
        file = BytesIO()
        with Archive(file, "store", encoding=self.encoding) as archive:
            archive.store(type(fields), fields)
        return file.getvalue()
