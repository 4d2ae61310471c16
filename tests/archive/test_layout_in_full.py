"""The whole layouts that are inferred from samples, and the modules written from them: golden/layouts.txt has each."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from archive_samples import SAMPLES, described, tag, wide
from golden_texts import GoldenTexts

from lifecycle.archive.layout import infer, module_source

golden = GoldenTexts(Path(__file__).parent / "golden")


def objects(*bodies: bytes, name: str = "CThing", schema: int = 1) -> bytes:
    """The only class of an archive, with the bodies of its objects."""
    return described(name, schema) + tag(1).join(bodies)


def several(body: Callable[[int], bytes], count: int = 20) -> bytes:
    """Objects of one class whose bodies are made from their numbers."""
    return objects(*map(body, range(count)))


def ansi(text: str) -> bytes:
    return bytes((len(text),)) + text.encode("cp1252")


def of_classes(*objects: tuple[str, bytes]) -> bytes:
    """Objects of several classes, each class described where it is first."""
    numbers: dict[str, int] = {}
    data, number = b"", 1
    for name, body in objects:
        data += (tag(numbers[name]) if name in numbers else described(name, 1)) + body
        number += 1 if name in numbers else 2
        numbers.setdefault(name, number - 2)
    return data


def drawing(shapes: int) -> Iterator[tuple[str, bytes]]:
    """A document of layers that count their shapes, of three classes which begin alike."""
    for layer in range(4):
        yield "CLayer", struct.pack("<IH", layer + 1, 3 + layer)
        for shape in range(3 + layer):
            head = struct.pack("<Id", shape % 4 + 1, 0.75 * (shape + 1) * (layer + 1)) + b"\1\2"
            name = ("CLine", "CArc", "CText")[shape * shapes % 3]
            yield name, head + {"CLine": b"", "CArc": struct.pack("<d", 1.5 * shape - 7.25), "CText": wide("ab" * shape)}[name]


LAYOUTS: dict[str, bytes] = {
    "the integers": several(lambda n: struct.pack("<IHBb", n * 999, n * 300, n * 12, -n - 1)),
    "negative integers": several(lambda n: struct.pack("<ihh", -n * 999, -n, n - 10)),
    "an integer of three bytes": several(lambda n: struct.pack("<I", n << 17)),
    "zeros": several(lambda n: bytes(9)),
    "a constant between numbers": several(lambda n: struct.pack("<HIBIH", n, 0xDEADBEEF, 7, 1, n * 2)),
    "doubles": several(lambda n: struct.pack("<ddd", n * 0.1, -1e-8 * n, 9.99e8 - n)),
    "doubles that are mostly zero": several(lambda n: struct.pack("<d", 1.1 * n if n >= 15 else 0.0)),
    "doubles that are too often zero": several(lambda n: struct.pack("<d", 1.1 * n if n >= 16 else 0.0)),
    "doubles of which there are two": several(lambda n: struct.pack("<d", 1.1 + n % 2)),
    "doubles of which there are three": several(lambda n: struct.pack("<d", 1.1 + n % 3)),
    "a double that is too large": several(lambda n: struct.pack("<d", 1e9 if n == 7 else 1.1 * n)),
    "a double that is too small": several(lambda n: struct.pack("<d", 1e-9 if n == 7 else 1.1 * n)),
    "a byte before doubles": several(lambda n: b"\0" + struct.pack("<d", 0.5 * n)),
    "a word before unicode strings": several(lambda n: struct.pack("<H", n % 3) + wide(f"text {n}")),
    "unicode strings": several(lambda n: wide("x" * n) + struct.pack("<I", n)),
    "unicode strings in nineteen of twenty": several(lambda n: (wide(f"name {n}") if n else b"\1\2\3\4\5\6\7") + b"\7"),
    "unicode strings in eighteen of twenty": several(lambda n: (wide(f"name {n}") if n > 1 else b"\1\2\3\4\5\6\7") + b"\7"),
    "ansi strings": several(lambda n: ansi("abcdefgh"[: n % 8]) + struct.pack("<I", n)),
    "ansi strings, an eighth of them long": several(lambda n: ansi("long text" if n % 8 == 0 else "") + b"\1", 24),
    "ansi strings, a ninth of them long": several(lambda n: ansi("long text" if n % 9 == 0 else "") + b"\1", 27),
    "ansi strings, two of them long": several(lambda n: ansi("long text" if n % 8 == 0 else "") + b"\1", 16),
    **{
        f"strings of both builds, {-(-count // every)} of {count} narrow ones long": several(
            lambda n, every=every: ansi("long text" if n % every == 0 else "") + wide("y" * (n % 6)), count
        )
        for count, every in ((24, 8), (27, 9), (26, 9), (16, 8), (20, 2), (21, 2))
    },
    "ansi strings of three characters": several(lambda n: ansi("abc") + struct.pack("<H", n)),
    "ansi strings of two characters": several(lambda n: ansi("ab") + struct.pack("<H", n)),
    "three objects": several(lambda n: struct.pack("<I", n) + wide("a"), 3),
    "three objects with strings": several(lambda n: wide(f"name {n}") + struct.pack("<I", n), 3),
    "four objects": several(lambda n: struct.pack("<I", n) + wide("a"), 4),
    "one object": several(lambda n: wide("alone") + b"\1\2", 1),
    "objects cut by a tag": several(lambda n: struct.pack("<IH", n, n) if n % 3 else struct.pack("<I", n)),
    "objects of two lengths": several(lambda n: struct.pack("<IH", n, n) if n % 2 else struct.pack("<I", n)),
    "objects of seven lengths": several(lambda n: bytes(n % 7) + b"\1"),
    "very long objects": several(lambda n: struct.pack("<I", n) * 200, 5),
    "very many fields": several(lambda n: b"".join(struct.pack("<IH", n + at, n) for at in range(40)), 8),
    "long strings": several(lambda n: wide("x" * 140 + str(n)) + wide("y" * 100) + wide("z" * 99) + b"\1\2", 6),
    "a document": of_classes(*drawing(1)),
    "a document with shapes of one class": of_classes(*drawing(3)),
    "objects that hold others": of_classes(
        *(each for n in range(6) for each in [("CBox", struct.pack("<H", n % 3))] + [("CItem", b"\1")] * (n % 3))
    ),
    "objects that hold others of two classes": of_classes(
        *(each for n in range(6) for each in [("CBox", struct.pack("<I", n)), (("CLeft", "CRight")[n % 2], b"\1\2")])
    ),
    "names that Python does not have": of_classes(
        *(
            each
            for n in range(5)
            for each in [("std::Set<int>", b"\1"), ("class", b"\2"), ("WORD", b"\3"), ("A_b", b"\4"), ("A b", b"\5")]
        )
    ),
    "names that become one": of_classes(("A::b", b"\1"), ("A__b", b"\2")),
    **{name: SAMPLES[name] for name in ("document-140u", "one of each, unicode", "one of each, ansi", "nothing")},
}


def page_of(data: bytes) -> str:
    """Each class, with its fields, and the module's classes."""
    layouts = infer(data)
    lines = []
    for each in layouts:
        lines.append(
            f"{each.name}, schema {each.schema}: {each.objects} objects, {each.fitting} fit, lengths {each.lengths}, complete:"
            f" {each.is_complete}, holds {each.holds}, counts: {each.counts}, base {each.base} of {each.base_fields}"
        )
        for field in each.fields[:20]:
            shown = None if field.constant is None else field.constant.hex()
            lines.append(f"  {field.offset} {field.kind} {field.size} {shown}: {field.evidence}")
        lines += [f"  and {len(each.fields) - 20} fields more"] * (len(each.fields) > 20)
    source = module_source(layouts)
    module = ModuleType("written")
    sys.modules["written"] = module  # where dataclasses look for their annotations
    exec(compile(source, "written.py", "exec"), vars(module))
    assert module.store(module.load(data)) == data
    if len(layouts) != 4:  # of one the whole module, of the others its classes
        source = source[source.index("LAYOUT = ") if not layouts else source.index("@dataclass\n") : source.index("\ndef load")]
    return "\n".join([*lines, *[line for line in source.splitlines() if line]]) + "\n"


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_whole_layout(name: str) -> None:
    """Each class has these fields with this evidence, and its module, which stores the same bytes again, is this one."""
    page = page_of(LAYOUTS[name])
    assert page == golden("layouts", name, page)
