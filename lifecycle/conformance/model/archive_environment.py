"""The environment of an archive: a file that returns valid bytes and accepts bytes, unless a provocation says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lifecycle.archive import DWORD, WORD, CEditView, Registry, serializable
from lifecycle.conformance.model.environment import ANYTHING, Ending, Environment, Provocation, Under, ends
from lifecycle.roles.archive import stores

REGISTRY = Registry()


@serializable("CSample", schema=1, registry=REGISTRY)
@dataclass
class Sample:
    """A serializable object."""

    number: WORD = 0


DESCRIPTION = b"\xff\xff\1\0\7\0CSample"
LARGE = bytes(8192)  # more than an archive's buffer holds


@dataclass(frozen=True, slots=True)
class FileDoes:
    """The behaviour of the file during a call, given as the call's first argument.

    trouble: "" if it returns `data` and accepts everything, otherwise its failure. length: the length that it reports.
    """

    trouble: str = ""
    data: bytes = b""
    length: int = 0


LOADING: dict[str, tuple[bytes, tuple[Any, ...]]] = {
    "load": (b"\5\0\0\0", (DWORD,)),
    "read": (b"abcd", (4,)),
    "ensure_read": (b"abcd", (4,)),
    "read_string": (b"a\n", ()),
    "read_count": (b"\5\0", ()),
    "read_object": (b"\0\0", ()),
    "read_class": (DESCRIPTION, ()),
    "serialize_class": (DESCRIPTION, (Sample,)),
    "serialize": (b"\5\0", (Sample(5),)),
    "serialize_raw": (b"x", (CEditView("x"),)),
}
"""a loading call -> well-formed bytes for it, and its arguments"""

MALFORMED: dict[str, tuple[bytes, tuple[Any, ...]]] = {
    "load": (b"\0\x80", (Sample,)),
    "read_string": (b"\x81", ()),
    "read_count": (b"\xff" * 14, ()),
    "read_object": (b"\0\x80", ()),
    "read_class": (b"\0\x80", ()),
    "serialize_class": (b"\0\x80", (Sample,)),
    "serialize": (b"\1\0\0\0a", (CEditView(limit=0),)),
    "serialize_raw": (b"", (CEditView(limit=0),)),
}
"""a loading call -> malformed bytes for it, and its arguments"""

STORING: dict[str, tuple[Any, ...]] = {
    "store": (DWORD, 5),
    "write": (b"data",),
    "write_string": ("x",),
    "write_count": (1,),
    "write_object": (None,),
    "write_class": (Sample,),
    "serialize_class": (Sample,),
    "serialize": (Sample(5),),
    "serialize_raw": (CEditView("x"),),
    "flush": (),
    "close": (),
}
"""a storing call -> its arguments"""

TROUBLES = ("pending", "timed_out", "failed", "broken")

NUMBERING = frozenset({"read_class", "write_class", "serialize_class"})
"""calls that number a class: a new archive has no numbers"""


def _way(call: str, how: str, does: FileDoes, arguments: tuple[Any, ...], *endings: Ending) -> Provocation:
    return Provocation(call, how, (does, *arguments), Under.AT_ONCE, endings)


def _loading(call: str) -> Iterator[Provocation]:
    """A loading call with each behaviour of the file, if no bytes were read ahead."""
    data, arguments = LOADING[call]
    length = 1 if call == "serialize_raw" else 0
    numbers = {"unless": "ahead storing numbered", "adds": "numbered"} if call in NUMBERING else {"unless": "ahead storing"}
    yield _way(call, "", FileDoes("", data, length), arguments, *_storing_ends(call), ends("ok", **numbers))
    for trouble in (*TROUBLES, "eof"):
        yield _way(call, f"({trouble})", FileDoes(trouble, b"", length), arguments, ends(trouble, unless="ahead storing"))
    if call in MALFORMED:
        data, arguments = MALFORMED[call]
        yield _way(call, "(malformed)", FileDoes("", data, 5 * length), arguments, ends("malformed", unless="ahead storing"))


def _storing_ends(call: str) -> tuple[Ending, ...]:
    if call not in STORING:
        return ()
    return (ends("ok", where="storing", drops="due", adds="numbered" if call in NUMBERING else ""),)


def _storing(call: str) -> Iterator[Provocation]:
    """A storing call with each behaviour of the file when it is written to."""
    arguments = STORING[call]
    if call not in LOADING:
        calm = ends("ok", where="storing", drops="due", adds="numbered" if call in NUMBERING else "")
        rest = () if call in ("flush", "close") else (calm,)
        yield _way(call, "", FileDoes(), arguments, *(rest or (ends("ok", drops="due ahead"),)))
    for trouble in TROUBLES:
        drops = "due" if trouble == "broken" else ""
        yield _way(
            call, f"while due ({trouble})", FileDoes(trouble), arguments, ends(trouble, where="storing due", drops=drops)
        )


ARCHIVE = Environment(
    provocations=(
        _way("attach", "to load", FileDoes(), ("load",), ends("load")),
        _way("attach", "to store", FileDoes(), ("store",), ends("store")),
        _way("attach", "to do neither", FileDoes(), ("neither",), ends("failed")),
        *(each for call in LOADING for each in _loading(call)),
        _way("load", "and more", FileDoes("", b"\5\0\0\0more"), (DWORD,), ends("ok", unless="ahead storing", adds="ahead")),
        *(each for call in STORING for each in _storing(call)),
        _way("write", "a lot", FileDoes("pending"), (LARGE,), ends("ok", where="storing", unless="due", adds="due")),
        _way("flush", "(unseekable)", FileDoes("failed"), (), ends("failed", where="ahead")),
        _way("close", "(unseekable)", FileDoes("failed"), (), ends("failed", where="ahead")),
        _way("map_object", "", FileDoes(), (Sample(1),), ends("ok", adds="numbered")),
        *(
            _way(call, "", FileDoes(), (), ends("failed", where="numbered"), ends("ok"))
            for call in ("set_load_params", "set_store_params")
        ),
        _way("get_object_schema", "", FileDoes(), (), ends("ok", gives=ANYTHING)),
        _way("set_object_schema", "", FileDoes(), (1,), ends("ok")),
        _way("abort", "", FileDoes(), (), ends("ok")),
    ),
    words_of=lambda at: frozenset({"storing"}) if stores(at) else frozenset(),
)
