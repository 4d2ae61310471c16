"""Interruptions at any byte: a call of an archive that did not end has stored and taken nothing, and can be made again."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from archive_fuzz_classes import CLASSES
from archive_kinds import REQUESTS, put, shape, stored
from archive_seeds import Seed, seeds, values
from hypothesis import given, settings
from hypothesis import strategies as st
from long_form import part

from lifecycle.archive import (
    DWORD,
    Archive,
    ArchiveError,
    CString,
    Registry,
    serializable,
)

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
    """A file that is interrupted again and again, and gives and takes a few bytes at a time, of long data more."""

    def __init__(self, data: bytes, random: Random, errors: Errors) -> None:
        self._data = io.BytesIO(data)
        self._most = max(20, len(data) // 12)
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
        return self._data.readinto(memoryview(buffer)[: self._random.randrange(1, self._most)])

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


@given(seed=st.sampled_from(SEEDS), number=st.integers(0, 1 << 32), unicode=st.booleans())
@settings(max_examples=part(150, 50))
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
@settings(max_examples=part(150, 50))
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
