"""Random sequences of values and objects, stored and loaded by both, and then damaged and loaded by both."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from lifecycle.archive import (
    VT,
    Archive,
    CByteArray,
    COleCurrency,
    COleDateTime,
    COleVariant,
    CStringA,
    CStringW,
    CTime,
    CTimeSpan,
)

from .reading import COLLECTIONS
from .storing import KINDS, Stored
from .text import build_text, utf16

LETTERS = "ab\u00e4\u20ac\u4e2d\U0001f600"
LENGTHS = (0, 1, 2, 5, 30, 260)
EDGES = (0, 1, 255, 256, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)

Step = Callable[[Archive], object]


@dataclass
class Sequence:
    """Lines that make the objects, tokens to store and to load them, and the same steps for lifecycle.archive."""

    setup: list[str] = field(default_factory=list)
    store: list[str] = field(default_factory=list)
    load: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def add(self, store: str, load: str, step: Step) -> None:
        """One more value."""
        self.store.append(store)
        self.load.append(load)
        self.steps.append(step)


class Maker:
    """Makes sequences for a build from a random source."""

    def __init__(self, random: Random, unicode: bool) -> None:
        self.random, self.unicode = random, unicode
        self.letters = LETTERS if unicode else LETTERS[:4]

    def text(self) -> str:
        """Some text, which the build can hold."""
        return "".join(self.random.choice(self.letters) for _ in range(self.random.choice(LENGTHS)))

    def word(self) -> bytes:
        """A WORD, often one at an edge."""
        return struct.pack("<H", self.random.choice((*EDGES, self.random.randrange(65536))))

    def sequence(self) -> Sequence:
        """One to eight values; objects may be met again."""
        self.found, self.objects, self.numbers = Sequence(), [], count(1)
        for _ in range(self.random.randrange(1, 9)):
            self.random.choice(VALUES)(self)
        return self.found

    def thing(self) -> tuple[int, Stored]:
        """An object that was met, or a new one, with what it refers to: its number for the agent, and the object."""
        if self.objects and self.random.random() < 0.35:
            return self.random.choice(self.objects)
        kind, number = self.random.randrange(5), next(self.numbers)
        made = KINDS[kind]()
        if self.random.random() < 0.7:
            self.objects.append((number, made))
        tokens, made.body = BODIES[kind](self)
        self.found.setup.append(f"object {number} {kind} {tokens}")
        return number, made

    def pointer(self, chance_of_null: float) -> tuple[int, Stored | None]:
        """An object or a null pointer."""
        return (0, None) if self.random.random() < chance_of_null else self.thing()


def _age(maker: Maker) -> tuple[str, Step]:
    years = maker.word()
    return f"raw:{years.hex()}", lambda archive: archive.write(years)


def _person(maker: Maker) -> tuple[str, Step]:
    name, years = maker.text(), maker.word()
    return f"sw:{utf16(name)} raw:{years.hex()}", lambda archive: (archive.store(CStringW, name), archive.write(years))


def _node(maker: Maker) -> tuple[str, Step]:
    number, target = maker.pointer(0.4)
    return f"o:{number}", lambda archive: archive.write_object(target)


def _empty(maker: Maker) -> tuple[str, Step]:
    return "", lambda archive: None


def _two(maker: Maker) -> tuple[str, Step]:
    (one, first), (other, second) = maker.thing(), maker.thing()
    return f"o:{one} o:{other}", lambda archive: (archive.write_object(first), archive.write_object(second))


BODIES = (_age, _person, _node, _empty, _two)


def _wide(maker: Maker) -> None:
    text = maker.text()
    maker.found.add(f"sw:{utf16(text)}", "sw", lambda archive: archive.store(CStringW, text))


def _narrow(maker: Maker) -> None:
    data = bytes(maker.random.randrange(32, 127) for _ in range(maker.random.choice((0, 1, 3, 254, 255))))
    maker.found.add(
        f"sa:{data.hex()}", maker.random.choice(("sa", "sw")), lambda archive: archive.store(CStringA, data.decode())
    )


def _count(maker: Maker) -> None:
    number = maker.random.choice((0, 5, 65534, 65535, 70000, 2**32 - 1))
    maker.found.add(f"cnt:{number}", "cnt", lambda archive: archive.write_count(number))


def _time(maker: Maker) -> None:
    seconds = maker.random.randrange(-(2**40), 2**40)
    maker.found.add(f"t:{seconds}", "t", lambda archive: archive.store(CTime, seconds))


def _span(maker: Maker) -> None:
    seconds = maker.random.randrange(-(2**31), 2**31)
    maker.found.add(f"ts:{seconds}", "ts", lambda archive: archive.store(CTimeSpan, seconds))


def _currency(maker: Maker) -> None:
    value = COleCurrency(maker.random.randrange(-(2**63), 2**63), maker.random.randrange(3))
    maker.found.add(f"cy:{value.units},{int(value.status)}", "cy", lambda archive: archive.store(COleCurrency, value))


def _date(maker: Maker) -> None:
    value = COleDateTime(maker.random.uniform(-1e5, 1e5), maker.random.randrange(3))
    double = struct.pack("<d", value.days).hex()
    maker.found.add(f"od:{double},{int(value.status)}", "od", lambda archive: archive.store(COleDateTime, value))


def _variant_text(maker: Maker) -> None:
    text = maker.text()
    maker.found.add(f"v:8,{utf16(text)}", "v", lambda archive: archive.store(COleVariant, COleVariant(text, VT.BSTR)))


def _variant_number(maker: Maker) -> None:
    number = maker.random.randrange(-(2**31), 2**31)
    token = f"v:3,{struct.pack('<i', number).hex()}"
    maker.found.add(token, "v", lambda archive: archive.store(COleVariant, COleVariant(number, VT.I4)))


def _collection(maker: Maker, kind: str, argument: str, content: object) -> None:
    number = next(maker.numbers)
    maker.found.setup.append(f"list {number} {kind} {argument}")
    maker.found.add(f"ser:{number}", f"in:{kind}", lambda archive: COLLECTIONS[kind](content).serialize(archive))


def _bytes(maker: Maker) -> None:
    data = maker.random.randbytes(maker.random.randrange(9))
    _collection(maker, "ba", data.hex(), CByteArray(data))


def _texts(maker: Maker) -> None:
    texts = [maker.text() or "q" for _ in range(maker.random.randrange(4))]
    argument = ",".join(build_text(text, maker.unicode) for text in texts)
    _collection(maker, maker.random.choice(("aw", "lw")), argument, texts)


def _pointers(maker: Maker) -> None:
    things = [maker.pointer(0.2) for _ in range(maker.random.randrange(4))]
    argument = ",".join(str(number) for number, _ in things)
    _collection(maker, maker.random.choice(("oa", "ol")), argument, [thing for _, thing in things])


def _class(maker: Maker) -> None:
    number = maker.random.randrange(2)
    maker.found.add(f"wc:{number}", "rc", lambda archive: archive.write_class(KINDS[number]))


def _object(maker: Maker) -> None:
    number, thing = maker.thing()
    maker.found.add(f"o:{number}", "o", lambda archive: archive.write_object(thing))


VALUES = (
    _wide, _narrow, _count, _time, _span, _currency, _date, _variant_text, _variant_number, _bytes, _texts, _pointers, _class,
    _object, _object, _object,
)  # fmt: skip


def damaged(data: bytes, random: Random) -> bytes:
    """One or two bytes changed, dropped or added, or the end cut off."""
    found = bytearray(data)
    for _ in range(random.choice((1, 1, 2))):
        if not found:
            break
        at, how = random.randrange(len(found)), random.randrange(4)
        if how == 0:
            found[at] = random.choice((0, 1, 2, 0x7F, 0x80, 0xFF, random.randrange(256)))
        elif how == 1:
            del found[at]
        elif how == 2:
            found.insert(at, random.choice((0, 0xFF, 0x80)))
        else:
            del found[at:]
    return bytes(found)
