"""The agent's load tokens, done by lifecycle.archive; the answers are the same text, so that the two can be compared."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

from lifecycle.archive import (
    Archive,
    ArchiveError,
    CByteArray,
    CComBSTR,
    CDWordArray,
    CEditView,
    CMapStringToOb,
    CMapStringToString,
    CMapWordToOb,
    CObArray,
    CObList,
    COleCurrency,
    COleDateTime,
    COleDateTimeSpan,
    COleVariant,
    CStringA,
    CStringArray,
    CStringList,
    CStringW,
    CTime,
    CTime64,
    CTimeSpan,
    CTimeSpan64,
    CWordArray,
    Registry,
    serializable,
)

from .agent import CLASSES
from .text import blob, narrow, wide

READ = Registry()
current: list[Reading] = []
"""The reading that goes on: an object that loads itself asks it."""


class Loaded:
    """An object that was loaded; `text` is what its body gave."""

    tokens = ""
    wire_name = ""
    text: str | None = None

    def serialize(self, archive: Archive) -> None:
        """Load the body by the tokens of the class."""
        self.text = current[-1].run(archive, self.tokens)


KINDS = [
    serializable(kind.name, kind.schema, versionable=kind.versionable, registry=READ)(
        type(f"Loaded{kind.name}", (Loaded,), {"tokens": kind.tokens, "wire_name": kind.name})
    )
    for kind in CLASSES
]

COLLECTIONS: dict[str, Any] = {
    "ba": CByteArray,
    "wa": CWordArray,
    "da": CDWordArray,
    "aw": CStringArray,
    "lw": CStringList,
    "oa": CObArray,
    "ol": CObList,
    "mss": CMapStringToString,
    "mso": CMapStringToOb,
    "mwo": CMapWordToOb,
}

VARIANT_CODES = {2: "h", 3: "i", 4: "f", 5: "d", 6: "q", 7: "d", 10: "i", 16: "b", 17: "B", 18: "H", 19: "I", 20: "q", 21: "Q"}


def variant_text(variant: COleVariant) -> str:
    """A variant as the agent prints it: its kind and the eight bytes of its value, or its string."""
    kind, value = int(variant.vt), variant.value
    if kind in VARIANT_CODES:
        return f"{kind}/{struct.pack('<' + VARIANT_CODES[kind], value).ljust(8, bytes(1)).hex()}"
    if kind == 8:
        return "8/" + blob(value if isinstance(value, bytes) else str(value).encode("utf-16-le", "surrogatepass"))
    if kind == 11:
        number = value if isinstance(value, int) and not isinstance(value, bool) else -1 if value else 0
        return f"11/{struct.pack('<h', number).ljust(8, bytes(1)).hex()}"
    return f"{kind}/{'00' * (16 if kind == 14 else 8)}"


class Reading:
    """One reading of some bytes by some tokens."""

    def __init__(self, unicode: bool) -> None:
        self.unicode = unicode
        self.seen: list[object] = []
        self.loaded: list[object] = []
        self.failure = ""

    def own(self, text: str) -> str:
        """A CString of the build."""
        return wide(text) if self.unicode else narrow(text)

    def show(self, thing: Any) -> str:
        """An object as the agent prints it: its class, its number by order of sight, and its body once."""
        if thing is None:
            return "null"
        for number, other in enumerate(self.seen, 1):
            if other is thing:
                return f"#{number}"
        self.seen.append(thing)
        name = thing.wire_name if isinstance(thing, Loaded) else type(thing).__name__
        return f"{name}#{len(self.seen)}({self.inside(thing)})"

    def inside(self, thing: Any) -> str:
        """The body of an object."""
        match thing:
            case Loaded():
                return thing.text or ""
            case CByteArray():
                return blob(thing)
            case CWordArray():
                return blob(struct.pack(f"<{len(thing)}H", *thing))
            case CDWordArray():
                return blob(struct.pack(f"<{len(thing)}I", *thing))
            case CStringArray() | CStringList():
                return ",".join(map(self.own, thing))
            case CObArray() | CObList():
                return ",".join([self.show(each) for each in thing])
            case CMapStringToString():
                return ",".join(f"{self.own(key)}={self.own(value)}" for key, value in thing.items())
            case CMapStringToOb():
                return ",".join(f"{self.own(key)}={self.show(value)}" for key, value in thing.items())
            case CMapWordToOb():
                return ",".join(f"{key}={self.show(value)}" for key, value in thing.items())
        raise TypeError(thing)

    def run(self, archive: Archive, tokens: str, done: list[str] | None = None) -> str:
        """Load by each token; the texts are appended to `done` as they come."""
        found = [] if done is None else done
        for token in tokens.split():
            word, _, argument = token.partition(":")
            found.append(TOKENS[word](self, archive, argument))
        return " ".join(found)

    def answer(self, data: bytes, tokens: str, *, buffer: int = 4096, depth: int = 10_000) -> str:
        """What the agent would say of these bytes."""
        current.append(self)
        options: dict[str, Any] = {"registry": READ, "unicode": self.unicode, "limit": 1 << 40, "depth": depth}
        archive = Archive(io.BytesIO(data), "load", buffer_size=max(buffer, 128), **options)
        done: list[str] = []
        try:
            self.run(archive, tokens, done)
            rest = len(data) - archive.offset
            for number, thing in enumerate(self.loaded, 1):
                done.append(f"@{number}={self.show(thing)}")
            split = len(tokens.split())
            return " ".join(" ".join([*done[:split], "ok", *done[split:], f"rest={rest}"]).split())
        except ArchiveError as error:
            self.failure = str(error)
            return " ".join([*" ".join(done).split(), f"exc CArchiveException {int(error.cause)}"])
        finally:
            current.pop()
            archive.abort()


def _raw(reading: Reading, archive: Archive, size: str) -> str:
    got = archive.read(int(size))
    return blob(got) + ("<short>" if len(got) < int(size) else "")


def _line(reading: Reading, archive: Archive, size: str) -> str:
    text = archive.read_string(int(size)) if size else archive.read_string()
    return f"{int(text is not None)}/{reading.own(text or '')}"


def _in_body(reading: Reading, archive: Archive, argument: str) -> str:
    reading.loaded.append(archive.read_object())
    return f"@{len(reading.loaded)}"


def _object(reading: Reading, archive: Archive, number: str) -> str:
    return reading.show(archive.read_object(KINDS[int(number)]) if number else archive.read_object())


def _class(reading: Reading, archive: Archive, number: str) -> str:
    kind, schema = archive.read_class(KINDS[int(number)]) if number else archive.read_class()
    return f"{getattr(kind, 'wire_name', kind.__name__)}/{schema}"


def _member(reading: Reading, archive: Archive, kind: str) -> str:
    thing = COLLECTIONS[kind]()
    thing.serialize(archive)
    return reading.show(thing)


def _skip(reading: Reading, archive: Archive, number: str) -> str:
    for _ in range(int(number)):
        archive.read_object()
    return "skip"


def _map(reading: Reading, archive: Archive, number: str) -> str:
    for _ in range(int(number)):
        archive.map_object(KINDS[0]())
    return "maps"


def _same_class(reading: Reading, archive: Archive, number: str) -> str:
    archive.serialize_class(KINDS[int(number)])
    return "sc"


def _view(reading: Reading, archive: Archive, argument: str) -> str:
    view = CEditView()
    view.serialize(archive)
    return wide(view.text)


def _days(kind: Any) -> Callable[[Reading, Archive, str], str]:
    def load(reading: Reading, archive: Archive, argument: str) -> str:
        found = archive >> kind
        return f"{struct.pack('<d', found.days).hex()}/{int(found.status)}"

    return load


def _currency(reading: Reading, archive: Archive, argument: str) -> str:
    found = archive >> COleCurrency
    return f"{found.units}/{int(found.status)}"


def _number(kind: Any) -> Callable[[Reading, Archive, str], str]:
    return lambda reading, archive, argument: str(int(archive >> kind))


TOKENS: dict[str, Callable[[Reading, Archive, str], str]] = {
    "raw": _raw,
    "sw": lambda reading, archive, argument: wide(archive >> CStringW),
    "sa": lambda reading, archive, argument: narrow(archive >> CStringA),
    "cnt": lambda reading, archive, argument: str(archive.read_count()),
    "rs": _line,
    "rsn": _line,
    "t": _number(CTime),
    "t64": _number(CTime64),
    "ts": _number(CTimeSpan),
    "ts64": _number(CTimeSpan64),
    "od": _days(COleDateTime),
    "os": _days(COleDateTimeSpan),
    "cy": _currency,
    "v": lambda reading, archive, argument: variant_text(archive >> COleVariant),
    "bs": lambda reading, archive, argument: blob((archive >> CComBSTR).encode("utf-16-le", "surrogatepass")),
    "o": _object,
    "ob": _in_body,
    "rc": _class,
    "sc": _same_class,
    "maps": _map,
    "skip": _skip,
    "schema": lambda reading, archive, argument: str(archive.get_object_schema()),
    "in": _member,
    "ev": _view,
}
