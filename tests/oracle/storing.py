"""The operations that are stored by the real MFC and by lifecycle.archive, and must give the same bytes."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from lifecycle.archive import (
    VT,
    WORD,
    Archive,
    CByteArray,
    CComBSTR,
    CDWordArray,
    CMapStringToOb,
    CMapStringToString,
    CMapWordToOb,
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
from lifecycle.archive.format.lengths import UNICODE_MARK, length_prefix

from .agent import CLASSES
from .text import build_text, utf16

WRITTEN = Registry()


class Stored:
    """An object that stores itself by a function."""

    def __init__(self, body: Callable[[Archive], object] = lambda archive: None) -> None:
        self.body = body

    def serialize(self, archive: Archive) -> None:
        """Store the body."""
        self.body(archive)


AGE, PERSON, NODE, EMPTY, TWO, LONG_NAME = KINDS = [
    serializable(kind.name, kind.schema, versionable=kind.versionable, registry=WRITTEN)(
        type(f"Stored{kind.name}", (Stored,), {})
    )
    for kind in CLASSES
]


@dataclass(frozen=True)
class Case:
    """An operation: `setup` and `tokens` are for the agent, `store` for lifecycle.archive."""

    name: str
    tokens: str
    store: Callable[[Archive], object]
    setup: tuple[str, ...] = ()
    buffer: int = 4096


def stored_here(case: Case, unicode: bool) -> bytes:
    """What lifecycle.archive writes."""
    file = io.BytesIO()
    with Archive(file, "store", buffer_size=max(case.buffer, 128), unicode=unicode, registry=WRITTEN, depth=10_000) as archive:
        case.store(archive)
    return file.getvalue()


def strings() -> Iterator[Case]:
    """Strings, and the lengths and counts before them."""
    for text in ["", "a", "abc", "zhangsan", "\U0001f600", "\ud800", "\0", "a\0b", "ÿþ", "ßßß"]:
        yield Case(f"CStringW {text!a}", f"sw:{utf16(text)}", lambda a, t=text: a << CStringW(t))
    for data in [b"", b"a", b"1.10", b"\xe4\xf6", b"a\0b"]:
        yield Case(f"CStringA {data!r}", f"sa:{data.hex()}", lambda a, t=data: a << CStringA(t.decode("cp1252")))
    for n in [1, 127, 128, 253, 254, 255, 256, 257, 4095, 4096, 4097, 32767, 32768, 65533, 65534, 65535, 65536, 100000]:
        yield Case(f"CStringW of {n}", f"swn:{n}", lambda a, n=n: a << CStringW("x" * n))
        yield Case(f"CStringA of {n}", f"san:{n}", lambda a, n=n: a << CStringA("x" * n))
    for n in [0, 1, 254, 255, 256, 65533, 65534, 65535, 65536, 2**31, 2**32 - 2, 2**32 - 1, 2**32, 2**63, 2**64 - 1]:
        yield Case(f"AfxWriteStringLength({n}, Unicode)", f"wlen:{n}", lambda a, n=n: a.write(UNICODE_MARK + length_prefix(n)))
        yield Case(f"AfxWriteStringLength({n}, ANSI)", f"alen:{n}", lambda a, n=n: a.write(length_prefix(n)))
        yield Case(f"WriteCount({n})", f"cnt:{n}", lambda a, n=n: a.write_count(n))
    for n in [0, 1, 100, 4095, 4096, 4097, 20000, 100000]:
        yield Case(f"Write of {n}", f"rawn:{n}", lambda a, n=n: a.write(b"x" * n))


def lines(unicode: bool) -> Iterator[Case]:
    """WriteString, which is of the build."""
    for text in ["", "My string.", "ab\n", "a\r\n", "\xe4"]:
        yield Case(f"WriteString {text!a}", f"ws:{build_text(text, unicode)}", lambda a, t=text: a.write_string(t))


def times() -> Iterator[Case]:
    """Times, spans and currencies, in every state."""
    for n in [0, 1, -1, 0x5D960A1B, 2**31 - 1, 2**31, -(2**31), 2**32 - 1, 2**32, 2**63 - 1, -(2**63), 0x8000000A]:
        yield Case(f"CTime({n})", f"t:{n}", lambda a, n=n: a << CTime(n))
        yield Case(f"CTime::Serialize64({n})", f"t64:{n}", lambda a, n=n: a << CTime64(n))
        yield Case(f"CTimeSpan({n})", f"ts:{n}", lambda a, n=n: a << CTimeSpan(n))
        yield Case(f"CTimeSpan::Serialize64({n})", f"ts64:{n}", lambda a, n=n: a << CTimeSpan64(n))
    for days in [0.0, 36526.0, 36526.5, -1.25, 2958465.99999, float("inf"), -657434.0, 1e300]:
        double = struct.pack("<d", days).hex()
        for status in [0, 1, 2, 7, -1]:
            yield Case(
                f"COleDateTime({days}, {status})", f"od:{double},{status}", lambda a, d=days, s=status: a << COleDateTime(d, s)
            )
            yield Case(
                f"COleDateTimeSpan({days}, {status})",
                f"os:{double},{status}",
                lambda a, d=days, s=status: a << COleDateTimeSpan(d, s),
            )
    for units in [0, 1, -1, 10000, 2**32, -(2**32), 2**63 - 1, -(2**63), 0x0123456789ABCDEF]:
        for status in [0, 1, 2]:
            yield Case(
                f"COleCurrency({units}, {status})", f"cy:{units},{status}", lambda a, u=units, s=status: a << COleCurrency(u, s)
            )


VARIANTS: list[tuple[VT, str, object]] = [
    (VT.EMPTY, "", None),
    (VT.NULL, "", None),
    (VT.I2, "feff", -2),
    (VT.I4, "07000000", 7),
    (VT.R4, struct.pack("<f", 1.5).hex(), 1.5),
    (VT.R8, struct.pack("<d", -3.25).hex(), -3.25),
    (VT.CY, struct.pack("<q", -10001).hex(), -10001),
    (VT.DATE, struct.pack("<d", 36526.25).hex(), 36526.25),
    (VT.BSTR, utf16("hi"), "hi"),
    (VT.BSTR, "", ""),
    (VT.BSTR, "616263", b"abc"),
    (VT.BSTR, utf16("a\0b"), "a\0b"),
    (VT.ERROR, struct.pack("<i", -2147467259).hex(), -2147467259),
    (VT.BOOL, "ffff", True),
    (VT.BOOL, "0000", False),
    (VT.I1, "fe", -2),
    (VT.UI1, "fe", 254),
    (VT.UI2, "feff", 65534),
    (VT.UI4, "feffffff", 2**32 - 2),
    (VT.I8, struct.pack("<q", -2).hex(), -2),
    (VT.UI8, struct.pack("<Q", 2**64 - 2).hex(), 2**64 - 2),
]


def variants() -> Iterator[Case]:
    """Variants of every kind that has a body, and BSTRs."""
    for kind, content, value in VARIANTS:
        for name, token in (("COleVariant", "v"), ("SerializeElements<COleVariant>", "ve")):
            yield Case(
                f"{name} {kind.name} {value!r}",
                f"{token}:{int(kind)},{content}",
                lambda a, v=value, k=kind: a << COleVariant(v, k),
            )
    for text in ["", "hi", "a\0b", "x" * 300, "\U0001f600"]:
        for name, token in (("CComBSTR", "bs"), ("SerializeElements<CComBSTR>", "bse")):
            yield Case(f"{name} {text[:5]!a}", f"{token}:{utf16(text)}", lambda a, t=text: a << CComBSTR(t))
    yield Case("CComBSTR NULL", "bs0", lambda a: a << CComBSTR(""))


def twice(archive: Archive, thing: object) -> None:
    """Store an object and a reference to it."""
    archive << thing << thing


def collections(unicode: bool) -> Iterator[Case]:
    """Collections by Serialize and by pointer. Of maps those with one entry, whose order cannot differ."""

    def text(of: str) -> str:
        return build_text(of, unicode)

    words = ([], [1, 0x203], [7] * 65534, [7] * 65535, [7] * 70000)
    longs = ([], [1], [2**32 - 1] * 3, [7] * 65535)
    texts = ([], ["a", "b"], ["a", "bc", "x" * 300], ["q"] * 65535)
    bodies = (b"", b"\1\2\3", b"x" * 65534)
    made: list[tuple[str, str, Callable[[], object]]] = [
        *((f"CByteArray of {len(b)}", f"ba {b.hex()}", lambda b=b: CByteArray(b)) for b in bodies),
        *((f"CByteArray of {n}", f"ban {n}", lambda n=n: CByteArray(b"x" * n)) for n in (65535, 65536, 200000)),
        *((f"CWordArray of {len(w)}", f"wa {struct.pack(f'<{len(w)}H', *w).hex()}", lambda w=w: CWordArray(w)) for w in words),
        *(
            (f"CDWordArray of {len(w)}", f"da {struct.pack(f'<{len(w)}I', *w).hex()}", lambda w=w: CDWordArray(w))
            for w in longs
        ),
        *((f"CStringArray of {len(t)}", f"aw {','.join(map(text, t))}", lambda t=t: CStringArray(t)) for t in texts),
        *((f"CStringList of {len(t)}", f"lw {','.join(map(text, t))}", lambda t=t: CStringList(t)) for t in texts),
        ("CMapStringToString of 0", "mss ", CMapStringToString),
        ("CMapStringToString of 1", f"mss {text('k')}={text('v')}", lambda: CMapStringToString({"k": "v"})),
        ("CMapWordToOb of NULL", "mwo 5=0", lambda: CMapWordToOb({5: None})),
        ("CMapStringToOb of NULL", f"mso {text('k')}=0", lambda: CMapStringToOb({"k": None})),
    ]
    numbers = count(1)
    for name, line, make in made:
        one, other = next(numbers), next(numbers)
        yield Case(f"{name}.Serialize", f"ser:{one}", lambda a, make=make: make().serialize(a), (f"list {one} {line}",))
        yield Case(f"ar << {name}*", f"o:{other} o:{other}", lambda a, make=make: twice(a, make()), (f"list {other} {line}",))


def age(years: int) -> Stored:
    """An object of CAge."""
    return AGE(lambda archive: archive << WORD(years))


def person(name: str, years: int) -> Stored:
    """An object of CPerson."""
    return PERSON(lambda archive: archive << CStringW(name) << WORD(years))


def node(target: list[Stored]) -> Stored:
    """An object of CNode, which points to the last of a list when it is stored."""
    return NODE(lambda archive: archive.write_object(target[-1]))


@dataclass
class Objects:
    """Lines that make objects for the agent, and the same objects here."""

    lines: tuple[str, ...] = ("object 1001 0 raw:1500", "object 1002 0 raw:1600", f"object 1003 1 sw:{utf16('Al')} raw:0900")
    age: Stored = field(default_factory=lambda: age(21))
    other: Stored = field(default_factory=lambda: age(22))
    person: Stored = field(default_factory=lambda: person("Al", 9))
