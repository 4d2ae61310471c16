"""Infers the layout of each class from all its objects, field by field, with the evidence for each.

At the same place in all objects of a class the wire types are tried in turn; the first that fits nearly all objects is the
field, and the objects that it does not fit are left out from there on. When no bytes, or too few objects, are left, the rest is
raw. Time is in proportion to the bytes: of a class with very many objects, MOST_OBJECTS evenly spread ones are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lifecycle.archive.dump.plausible_text import CodePage
from lifecycle.archive.layout.bodies import Body, bodies
from lifecycle.archive.layout.kinds import KINDS, Reading, double, wide_string

MOST_OBJECTS = 2000
MOST_BYTES = 512
"""The maximum number of bytes of an object that are considered; the rest is raw."""

MOST_CLASSES = 1000
MOST_FIELDS = 60
NEARLY_ALL = 0.95
FEWEST = 4
"""The minimum number of objects of a class to infer numbers; with fewer, only strings are."""

SURE = 3
"""The number of kinds before the integers."""

BOUNDED = (wide_string, double)
"""Kinds with a recognisable beginning."""

BASE = 3
"""The minimum number of equal first fields from which a common base class is inferred."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: the wire type's name, or "Bytes" with a size; offset: bytes from the body's start, None after a string.

    evidence: in words, with the number of objects that it fits.
    """

    kind: str
    offset: int | None
    size: int | None
    constant: bytes | None
    evidence: str


@dataclass(frozen=True, slots=True)
class ClassLayout:
    """An inferred class: the number of objects, their lengths with the frequency of each, the fields, what follows.

    is_complete: whether most objects consist of the fields only. base: the number of the inferred base class, or None, and
    base_fields: the number of its fields. holds: the classes of the objects that begin in or after one, with their
    frequencies; counts: whether the last number is the number of those that follow.
    """

    name: str
    schema: int
    objects: int
    fitting: int
    lengths: tuple[tuple[int, int], ...]
    fields: tuple[Field, ...]
    is_complete: bool
    holds: tuple[tuple[str, int], ...] = ()
    counts: bool = False
    base: int | None = None
    base_fields: int = 0


@dataclass(slots=True)
class _Class:
    """Collects the objects of a class."""

    schema: int
    objects: int = 0
    kept: list[bytes] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    lengths: Counter[int] = field(default_factory=Counter)
    holds: Counter[str] = field(default_factory=Counter)
    step: int = 1

    def add(self, part: bytes, length: int) -> int | None:
        """Add an object; return its place among those that are kept."""
        self.objects += 1
        if length in self.lengths or len(self.lengths) < MOST_OBJECTS:
            self.lengths[length] += 1
        if self.objects % self.step:
            return None
        if len(self.kept) == MOST_OBJECTS:
            self.kept, self.runs, self.step = self.kept[::2], self.runs[::2], 2 * self.step
        self.kept.append(part)
        self.runs.append(0)
        return len(self.kept) - 1


def infer(data: Any, *, encoding: str = "cp1252") -> tuple[ClassLayout, ...]:
    """The layout of each class in `data`, in the order of their first objects. See dump() for the arguments."""
    page = CodePage(encoding)
    found = _collected(data, bodies(data, encoding=encoding))
    return _with_bases([_layout(name, each, page) for name, each in found.items()])


def _collected(data: Any, parts: Iterable[Body]) -> dict[str, _Class]:
    classes: dict[str, _Class] = {}
    holder: tuple[_Class, int | None] | None = None
    before = followers = ""
    for body in parts:
        if body.name not in classes and len(classes) == MOST_CLASSES:
            holder, before = None, ""
            continue
        each = classes.setdefault(body.name, _Class(body.schema or 0))
        if holder is not None and body.name != before:
            holder_, place = holder
            if not followers:
                followers = body.name
                if len(holder_.holds) < MOST_CLASSES or followers in holder_.holds:
                    holder_.holds[followers] += 1
            if body.name == followers and place is not None and place < len(holder_.runs):
                holder_.runs[place] += 1
        length = body.end - body.start
        place = each.add(bytes(data[body.start : min(body.end, body.start + MOST_BYTES)]), length)
        if holder is None or body.name == before or body.name != followers:
            holder, before, followers = (each, place), body.name, ""
    return classes


def _layout(name: str, each: _Class, page: CodePage) -> ClassLayout:
    parts, runs = each.kept, each.runs
    if len(each.lengths) > 1 and each.objects >= FEWEST:
        length, often = each.lengths.most_common(1)[0]
        if 2 * often > each.objects:  # most are alike: those that are not were cut by a number that looks like a tag
            pairs = [(part, run) for part, run in zip(parts, runs, strict=True) if len(part) == min(length, MOST_BYTES)]
            parts, runs = [part for part, _ in pairs], [run for _, run in pairs]
    fields: list[Field] = []
    at, offset = [0] * len(parts), 0
    fixed = True
    while len(fields) < MOST_FIELDS and parts:
        left = [part[start : start + 300] for part, start in zip(parts, at, strict=True)]
        if all(not rest for rest in left):
            break
        fitting, reading = _field(left, page)
        if reading is None:
            break
        if len(fitting) < len(parts):
            parts = [parts[index] for index in fitting]
            runs = [runs[index] for index in fitting]
            at = [at[index] for index in fitting]
        taken = [part[start : start + size] for part, start, size in zip(parts, at, reading.sizes, strict=True)]
        constant = taken[0] if len(parts) > 1 and len(set(taken)) == 1 else None
        size = reading.sizes[0] if len(set(reading.sizes)) == 1 and not reading.kind.startswith("CString") else None
        evidence = f"{reading.kind}, fits {len(parts)} of {len(each.kept)}: {_range(reading)}"
        fields.append(Field(reading.kind, offset if fixed else None, size, constant, evidence))
        at = [start + size for start, size in zip(at, reading.sizes, strict=True)]
        fixed = fixed and size is not None
        offset += size or 0
    complete = bool(parts) and all(start == len(part) for start, part in zip(at, parts, strict=True))
    counts = bool(each.holds) and _count(parts, runs)
    lengths = tuple(each.lengths.most_common(5))
    return ClassLayout(
        name, each.schema, each.objects, len(parts), lengths, tuple(_joined(fields)), complete,
        tuple(each.holds.most_common(5)), counts,
    )  # fmt: skip


def _field(left: list[bytes], page: CodePage) -> tuple[list[int], Reading | None]:
    """The first kind that fits nearly all objects, and those objects."""
    few = len(left) < FEWEST
    for kind in KINDS[: 1 if few else None]:
        found = kind(left, page)
        if found is not None and not (kind in KINDS[SURE:] and _covers_a_better_one(left, found, page)):
            return list(range(len(left))), found
        if few:
            continue
        fitting = [index for index, part in enumerate(left) if kind_fits(kind, part, page)]
        if NEARLY_ALL * len(left) <= len(fitting) < len(left):
            found = kind([left[index] for index in fitting], page)
            if found is not None:
                return fitting, found
    return [], None


def _covers_a_better_one(left: list[bytes], found: Reading, page: CodePage) -> bool:
    """Whether a double or a Unicode string begins inside a number: round doubles begin with zeros."""
    behind = ([part[at:] for part in left] for at in range(1, found.sizes[0]))
    return any(kind(parts, page) is not None for parts in behind for kind in BOUNDED)


def kind_fits(kind: Any, part: bytes, page: CodePage) -> bool:
    """Whether a kind fits one object, for kinds that are tested object by object."""
    if kind in KINDS[:1]:
        return kind([part], page) is not None
    if kind is KINDS[-1]:
        return bool(part)
    return False


def _range(reading: Reading) -> str:
    several = Counter(reading.values)
    if len(several) == 1:
        return f"always {reading.values[0]!r}"
    if reading.kind.startswith("CString"):
        shown = ", ".join(repr(str(value)[:20]) for value in list(several)[:3])
        return f"{len(several)} texts, as {shown}"
    numbers = [value for value in several if isinstance(value, (int, float))]
    return f"{len(several)} values from {min(numbers):g} to {max(numbers):g}"


def _joined(fields: list[Field]) -> list[Field]:
    """The fields, with adjacent constant ones, whose bounds are unknown, merged into one of raw bytes."""
    joined: list[Field] = []
    for each in fields:
        last = joined[-1] if joined else None
        if last is not None and _is_constant(last) and _is_constant(each):
            constant = (last.constant or b"") + (each.constant or b"")
            joined[-1] = Field("Bytes", last.offset, len(constant), constant, f"always {constant.hex(' ')}")
        else:
            joined.append(each)
    return joined


def _is_constant(each: Field) -> bool:
    return each.constant is not None and each.size is not None


def _count(parts: list[bytes], runs: list[int]) -> bool:
    """Whether the last two bytes of nearly all objects are the number of objects of another class that follow."""
    told = [int.from_bytes(part[-2:], "little") == run for part, run in zip(parts, runs, strict=True) if len(part) >= 2]
    return len(told) >= FEWEST and len(set(runs)) > 1 and sum(told) >= 0.8 * len(told)


def _with_bases(layouts: list[ClassLayout]) -> tuple[ClassLayout, ...]:
    """The layouts; those that begin with the same fields get a common base."""
    heads: dict[tuple[tuple[str, int | None, int | None], ...], list[int]] = {}
    for index, each in enumerate(layouts):
        if len(each.fields) >= BASE:
            head = tuple((part.kind, part.offset, part.size) for part in each.fields[:BASE])
            heads.setdefault(head, []).append(index)
    number = 0
    for same in heads.values():
        if len(same) < 2:
            continue
        number += 1
        shapes = [[(part.kind, part.offset, part.size) for part in layouts[index].fields] for index in same]
        common = min(map(len, shapes))
        while any(shape[:common] != shapes[0][:common] for shape in shapes):
            common -= 1
        for index in same:
            each = layouts[index]
            layouts[index] = ClassLayout(
                each.name, each.schema, each.objects, each.fitting, each.lengths, each.fields, each.is_complete,
                each.holds, each.counts, number, common,
            )  # fmt: skip
    return tuple(layouts)
