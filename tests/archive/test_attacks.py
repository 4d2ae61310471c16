"""What an adversary or bad luck may do to an archive: interruptions at any byte, claims without bytes, calls out of turn."""

from __future__ import annotations

import errno
import io
import struct
import tracemalloc
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from archive_kinds import CLASSES, REQUESTS, Age, Node, Tree, put, shape, stored
from archive_seeds import Seed, seeds, values
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.archive import (
    BOOL,
    DWORD,
    RECT,
    Archive,
    ArchiveError,
    CArray,
    CByteArray,
    CComBSTR,
    CEditView,
    CMap,
    CObArray,
    COleVariant,
    CString,
    EndOfFile,
    GenericError,
    ReadOnly,
    Registry,
    WriteOnly,
    serializable,
)
from lifecycle.engine import IllegalCall

SEEDS = [seed for seed in seeds() if "raw view" not in seed.plan]
VALUES = values()
MOST = 20000  # attempts of one call

Errors = tuple[Callable[[], BaseException | None], ...]

WAITS: Errors = (
    lambda: TimeoutError("timed out"),
    lambda: BlockingIOError(errno.EAGAIN, "it would block"),
    lambda: None,
)
"""The interruptions of a file that has to wait; None is how a raw file says so."""

INTERRUPTIONS: Errors = (
    *WAITS,
    KeyboardInterrupt,
    MemoryError,
    lambda: ValueError("a reason of the file's own"),
    lambda: OSError(errno.EIO, "a reason of the system's"),
)


class Unreliable(io.RawIOBase):
    """A file that is interrupted again and again, and gives and takes a few bytes at a time."""

    def __init__(self, data: bytes, random: Random, errors: Errors) -> None:
        self._data = io.BytesIO(data)
        self._random = random
        self._errors = errors
        self.taken = bytearray()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._is_interrupted():
            return None
        return self._data.readinto(memoryview(buffer)[: self._random.randrange(1, 20)])

    def write(self, data: Any) -> int | None:
        if self._is_interrupted():
            return None
        part = bytes(data)[: self._random.randrange(1, 50)]
        self.taken += part
        return len(part)

    def _is_interrupted(self) -> bool:
        if self._random.random() < 0.6:
            return False
        error = self._random.choice(self._errors)()
        if error is not None:
            raise error
        return True


def repeated(call: Callable[[], Any], archive: Archive) -> Any:
    """What `call` returns when it is made again after each interruption; after one, the archive is as it was."""
    state, offset = archive.state, archive.offset
    for _ in range(MOST):
        try:
            return call()
        except ArchiveError:
            raise
        except (OSError, KeyboardInterrupt, MemoryError, ValueError):
            assert (archive.state, archive.offset) == (state, offset)
    raise AssertionError("the call never ends")


def ending(archive: Archive, request: Callable[[], Any]) -> list[Any]:
    """The shape of what is loaded, or the error."""
    try:
        return shape(request())
    except ArchiveError as error:
        return [type(error), str(error), archive.state]


# -- whole or not at all -------------------------------------------------------------------------------------------------------


@given(seed=st.sampled_from(SEEDS), number=st.integers(0, 1 << 32), unicode=st.booleans())
@settings(max_examples=250)
def test_loading_goes_on_after_interruptions_at_any_byte(seed: Seed, number: int, unicode: bool) -> None:
    """A load that a time-out, a would-block or an exception ended has taken nothing, and can be made again."""
    smooth = Archive(io.BytesIO(seed.data), "load", unicode=unicode, registry=CLASSES)
    rough = Archive(Unreliable(seed.data, Random(number), INTERRUPTIONS), "load", unicode=unicode, registry=CLASSES)
    with smooth, rough:
        for name in seed.plan:
            request = REQUESTS[name]
            expected = ending(smooth, lambda request=request: request(smooth))
            found = ending(rough, lambda request=request: repeated(lambda: request(rough), rough))
            assert found == expected
            assert rough.offset == smooth.offset
            if rough.state == "broken":
                break
        rough.abort()
        smooth.abort()


@given(
    items=st.lists(st.sampled_from(VALUES) | st.binary(max_size=900), max_size=8),
    number=st.integers(0, 1 << 32),
    unicode=st.booleans(),
    size=st.sampled_from([128, 200, 4096]),
)
@settings(max_examples=250)
def test_storing_goes_on_after_waits_at_any_byte(items: list[Any], number: int, unicode: bool, size: int) -> None:
    """A store that would have to wait has stored nothing: made again until it is done, each byte is there once."""

    def store(archive: Archive, item: Any) -> None:
        if isinstance(item, bytes):
            archive.write(item)
        else:
            put(archive, *item)

    expected = stored(unicode, lambda archive: [store(archive, item) for item in items] and None)
    file = Unreliable(b"", Random(number), WAITS)
    with Archive(file, "store", unicode=unicode, buffer_size=size, registry=CLASSES) as archive:
        for item in items:
            repeated(lambda item=item: store(archive, item), archive)
            assert expected.startswith(bytes(file.taken))
        repeated(archive.flush, archive)
        assert file.taken == expected
        assert archive.offset == len(expected)


class Fuse:
    """Counts down what a user's serialize() does, and raises."""

    left = -1

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise InterruptedError("a reason of the user's own")


FUSE = Fuse()
FUSED = Registry()


@serializable("CFused", registry=FUSED)
class Fused:
    """Three values and a child; each step may raise."""

    def __init__(self, depth: int = 0) -> None:
        self.number = depth
        self.text = "text" * depth
        self.child = Fused(depth - 1) if depth else None

    def serialize(self, archive: Archive) -> None:
        FUSE.burn()
        if archive.is_storing:
            archive << DWORD(self.number) << CString(self.text)
            FUSE.burn()
            archive.write_object(self.child)
            archive.write_object(self)
        else:
            self.number = archive >> DWORD
            self.text = archive >> CString
            FUSE.burn()
            self.child = archive.read_object(Fused)
            assert archive.read_object() is self
        FUSE.burn()


@pytest.mark.parametrize("step", range(1, 13))
def test_an_exception_in_a_users_serialize_takes_back_the_whole_object(step: int) -> None:
    """Wherever it is raised, nothing was stored or taken, and the same calls made again give what they would have given."""
    thing = Fused(3)
    plain, rough = io.BytesIO(), io.BytesIO()
    with Archive(plain, "store", registry=FUSED) as archive:
        archive << DWORD(1) << thing << thing
    with Archive(rough, "store", registry=FUSED) as archive:
        archive << DWORD(1)
        FUSE.left = step
        with pytest.raises(InterruptedError):
            archive << thing
        assert (archive.state, archive.offset) == ("storing", 4)
        archive << thing << thing
    assert rough.getvalue() == plain.getvalue()
    with Archive(io.BytesIO(plain.getvalue()), "load", registry=FUSED) as archive:
        assert archive >> DWORD == 1
        FUSE.left = step
        with pytest.raises(InterruptedError):
            archive >> Fused
        assert (archive.state, archive.offset) == ("loading", 4)
        first = archive >> Fused
        assert archive >> Fused is first
        assert shape(first) == shape(thing)


# -- claims without bytes ------------------------------------------------------------------------------------------------------

COUNTS = (0xFFFE, 0xFFFFFF, 0x3FFFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 1 << 62, (1 << 64) - 1)


def _claim(count: int) -> bytes:
    return struct.pack("<HI", 0xFFFF, count) if count < 0xFFFFFFFF else struct.pack("<HIQ", 0xFFFF, 0xFFFFFFFF, count)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    "kind",
    [CArray[DWORD], CArray[BOOL], CArray[RECT], CArray[CString], CArray[COleVariant], CArray[Age], CArray[Age | None],
     CArray[Node], CArray[Tree], CMap[DWORD, CString], CArray[CArray[DWORD]], CByteArray, CObArray],
    ids=lambda kind: kind.__name__,
)  # fmt: skip
def test_a_count_that_claims_much_costs_nothing(kind: Any, count: int) -> None:
    """A count of up to 2**64 things over a few bytes raises at once, and reserves no memory for what did not come."""
    with Archive(io.BytesIO(_claim(count) + bytes(64)), "load", registry=CLASSES) as archive:
        thing = kind() if kind in (CByteArray, CObArray) else None
        with pytest.raises((EndOfFile, GenericError)) as caught:
            _weighed(lambda: archive.load(kind) if thing is None else archive.serialize(thing), 1 << 19)
        assert archive.state == "broken"
        assert caught.value.offset <= 14 + 64


@pytest.mark.parametrize("length", [0xFFFE, 0x3FFFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 1 << 40, (1 << 64) - 1])
@pytest.mark.parametrize("mark", [b"", b"\xff\xfe\xff"], ids=["ansi", "unicode"])
def test_a_string_that_claims_much_costs_nothing(mark: bytes, length: int) -> None:
    """A string's length of up to 2**64 over a few bytes raises at once, and reserves no memory for what did not come."""
    prefix = struct.pack("<BHI", 0xFF, 0xFFFF, min(length, 0xFFFFFFFF))
    if length >= 0xFFFFFFFF:
        prefix += struct.pack("<Q", length)
    with Archive(io.BytesIO(mark + prefix + bytes(64)), "load") as archive:
        with pytest.raises((EndOfFile, GenericError)):
            _weighed(lambda: archive >> CString, 1 << 18)
        assert archive.state == "broken"


@pytest.mark.parametrize("kind", [CComBSTR, COleVariant, CEditView], ids=lambda kind: kind.__name__)
def test_a_length_of_four_bytes_that_claims_much_costs_nothing(kind: Any) -> None:
    """The lengths of BSTRs and text views are taken at their word no more than others."""
    for length in (0xFFFFF, 0x3FFFFFF, 0x7FFFFFFE, 0xFFFFFFFF):
        data = (b"\x08\0" if kind is COleVariant else b"") + struct.pack("<I", length) + bytes(64)
        with Archive(io.BytesIO(data), "load") as archive:
            view = CEditView(limit=1 << 32)
            with pytest.raises((EndOfFile, GenericError)):
                _weighed(lambda: view.serialize(archive) if kind is CEditView else archive.load(kind), 1 << 18)  # noqa: B023
            assert archive.state == "broken"


def _weighed(call: Callable[[], Any], most: int) -> None:
    """Make the call; AssertionError when its memory had a peak above `most` bytes."""
    tracemalloc.start()
    try:
        call()
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= most, f"{peak} bytes"


# -- calls out of turn ---------------------------------------------------------------------------------------------------------

LOADS: dict[str, Callable[[Archive], Any]] = {
    ">>": lambda archive: archive >> DWORD,
    "load": lambda archive: archive.load(CString),
    "read": lambda archive: archive.read(1),
    "ensure_read": lambda archive: archive.ensure_read(1),
    "read_string": lambda archive: archive.read_string(),
    "read_count": lambda archive: archive.read_count(),
    "read_object": lambda archive: archive.read_object(),
    "read_class": lambda archive: archive.read_class(),
    "get_object_schema": lambda archive: archive.get_object_schema(),
    "set_load_params": lambda archive: archive.set_load_params(),
}
STORES: dict[str, Callable[[Archive], Any]] = {
    "<<": lambda archive: archive << DWORD(1),
    "store": lambda archive: archive.store(CString, "x"),
    "write": lambda archive: archive.write(b"x"),
    "write_string": lambda archive: archive.write_string("x"),
    "write_count": lambda archive: archive.write_count(1),
    "write_object": lambda archive: archive.write_object(None),
    "write_class": lambda archive: archive.write_class(Age),
    "set_store_params": lambda archive: archive.set_store_params(),
}
EITHER: dict[str, Callable[[Archive], Any]] = {
    "serialize": lambda archive: archive.serialize(CByteArray()),
    "serialize_class": lambda archive: archive.serialize_class(Age),
    "serialize_raw": lambda archive: archive.serialize_raw(CEditView()),
    "map_object": lambda archive: archive.map_object(Age()),
    "flush": lambda archive: archive.flush(),
}


def test_the_other_direction_is_refused_and_changes_nothing() -> None:
    """Every call of loading raises WriteOnly on a storing archive, every call of storing ReadOnly on a loading one."""
    file = io.BytesIO()
    with Archive(file, "store", registry=CLASSES) as archive:
        for call in LOADS.values():
            with pytest.raises(WriteOnly):
                call(archive)
        assert (archive.state, archive.offset) == ("storing", 0)
    assert not file.getvalue()
    with Archive(io.BytesIO(bytes(9)), "load", registry=CLASSES) as archive:
        for call in STORES.values():
            with pytest.raises(ReadOnly):
                call(archive)
        assert (archive.state, archive.offset) == ("loading", 0)


@pytest.mark.parametrize("mode", ["load", "store"])
@pytest.mark.parametrize("end", ["close", "abort"])
def test_a_closed_archive_refuses_everything_but_closing(mode: Any, end: str) -> None:
    """After close() or abort() every call is an IllegalCall, and closing again does nothing."""
    archive = Archive(io.BytesIO(bytes(9)), mode, registry=CLASSES)
    getattr(archive, end)()
    for call in (LOADS | STORES | EITHER).values():
        with pytest.raises(IllegalCall):
            call(archive)
    archive.close()
    archive.abort()
    assert archive.state == "closed"


def test_a_broken_archive_refuses_everything_but_closing() -> None:
    """After an error of its bytes every call is an IllegalCall."""
    archive = Archive(io.BytesIO(b"\xff\xff"), "load", registry=CLASSES)
    with pytest.raises(EndOfFile):
        archive.read_object()
    for call in (LOADS | STORES | EITHER).values():
        with pytest.raises(IllegalCall):
            call(archive)
    archive.close()
