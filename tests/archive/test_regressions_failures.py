"""What was wrong once, and is not again: what fails within an object, and what a method catches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import archive_bytes
import pytest

from lifecycle.archive import (
    DWORD,
    WORD,
    Archive,
    ArchiveError,
    BadClass,
    BadIndex,
    CArray,
    CObArray,
    CString,
    EndOfFile,
    GenericError,
    NotSerializable,
    Registry,
    serializable,
)

CLASSES = Registry()


class MineError(ValueError):
    """What users' methods raise here."""


@serializable("CLeaf", registry=CLASSES)
@dataclass
class Leaf:
    """A flat record."""

    value: DWORD = 0


@serializable("CTwig", registry=CLASSES)
@dataclass
class Twig:
    """A record that contains others of its class by value."""

    value: DWORD
    twigs: CArray[Twig] = field(default_factory=list)


@serializable("CMethod", registry=CLASSES)
class Method:
    """What it does with an archive is what it was made with; made anew to be loaded into, what the class was given."""

    loads: Callable[[Archive], Any]
    runs = 0

    def __init__(self, stores: Callable[[Archive], Any] | None = None) -> None:
        self.stores = stores
        self.found: Any = None

    def serialize(self, archive: Archive) -> None:
        Method.runs += 1
        if archive.is_storing:
            assert self.stores is not None
            self.stores(archive)
        else:
            self.found = Method.loads(archive)


@serializable("CHolder", registry=CLASSES)
@dataclass
class Holder:
    """A record with an object by value in it, and a number behind that."""

    method: Method
    number: DWORD = 0


stored, loading = partial(archive_bytes.stored, registry=CLASSES), partial(archive_bytes.loading, registry=CLASSES)


def fails(error: BaseException) -> Callable[[Archive], Any]:
    def run(archive: Archive) -> None:
        raise error

    return run


def test_a_bad_value_deep_in_records_is_told_at_once() -> None:
    """The search for the field that does not fit takes time in proportion to the depth, and names the innermost."""
    twig = Twig(-1)
    for _ in range(60):
        twig = Twig(1, [twig])
    began = time.process_time()
    with pytest.raises(ValueError, match=r"Twig\.value: -1 is not a DWORD"):
        stored(twig)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("number", [0, -1], ids=["sound behind it", "bad behind it"])
def test_a_users_error_in_a_record_stays_itself(number: int) -> None:
    """Whatever the fields behind it hold, the error of a user's method is raised unchanged, and its code ran once."""
    Method.runs = 0
    with pytest.raises(MineError, match="mine") as caught:
        stored(Holder(Method(fails(MineError("mine"))), number))
    assert type(caught.value) is MineError
    assert Method.runs == 1


def test_a_failure_that_a_method_catches_leaves_nothing() -> None:
    """Of a list that could not be stored, no part is in the archive, and what its objects were numbered is free again."""
    leaf = Leaf(1)

    def tries(archive: Archive) -> None:
        with pytest.raises(NotSerializable):
            archive.write_object(CObArray([leaf, object()]))
        archive.write_object(leaf)
        archive.write_object(leaf)

    Method.loads = lambda archive: (archive.read_object(), archive.read_object())
    with loading(stored(Method(tries), leaf)) as archive:
        first, second = (archive >> Method).found
        assert first == leaf
        assert archive.read_object() is first is second


def test_a_failure_of_loading_that_a_method_catches_takes_nothing() -> None:
    """An error of another method's own takes back what that one took; its catcher reads it again, as something else."""
    data = stored(Method(lambda archive: archive.write_object(Holder(Method(lambda archive: archive << DWORD(7)), 8))))

    def outer(archive: Archive) -> Any:
        Method.loads = lambda archive: fails(MineError("mine"))(archive >> DWORD)
        before = archive.offset
        with pytest.raises(MineError):
            archive.read_object()
        assert archive.offset == before
        Method.loads = lambda archive: archive >> DWORD
        return archive.read_object()

    Method.loads = outer
    with loading(data) as archive:
        holder = (archive >> Method).found
        assert (holder.method.found, holder.number) == (7, 8)


@pytest.mark.parametrize(
    ("wrong", "load", "error"),
    [(b"\x09\0", lambda archive: archive.read_object(), BadIndex),
     (b"\xff" * 14, lambda archive: archive.read_count(), GenericError),
     (b"\xff\xff\xff" + b"\xff" * 12, lambda archive: archive >> CString, GenericError),
     (b"\xff\xff\0\0\1\0X", lambda archive: archive.read_class(), BadClass)],
    ids=["object", "count", "string", "class"],
)  # fmt: skip
def test_wrong_bytes_that_a_method_catches_break_the_archive(
    wrong: bytes, load: Callable[[Archive], Any], error: type[ArchiveError]
) -> None:
    """Nobody knows where the next value begins, so that the outermost call raises what the method caught."""

    def catches(archive: Archive) -> None:
        with pytest.raises(error):
            load(archive)

    Method.loads = catches
    with loading(CLASSES.entry(Method).description + wrong + bytes(90)) as archive:
        with pytest.raises(error):
            archive >> Method
        assert archive.state == "broken"


def test_the_end_of_the_file_may_be_caught() -> None:
    """A method that knows what older programs left out takes it for the end of its object, by value or by pointer."""
    for load in (lambda archive: archive >> DWORD, lambda archive: archive >> Leaf, lambda archive: archive >> CArray[WORD]):

        def loads(archive: Archive, load: Callable[[Archive], Any] = load) -> str:
            with pytest.raises(EndOfFile):
                load(archive)
            return "older"

        Method.loads = loads
        with loading(CLASSES.entry(Method).description) as archive:
            assert (archive >> Method).found == "older"
            assert archive.state == "loading"
            with pytest.raises(EndOfFile):
                archive >> DWORD
            assert archive.state == "broken"
