"""The MFC checklist, section K: CArchive. Rows 157 and 158 are in test_vectors.py."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from archive_classes import Age, Document, Node, Person, Shelf, SubItem, same
from hypothesis import given
from hypothesis import strategies as st
from loopback import LONG, Background, client_and_raw_peer, connected_pair

from lifecycle import Archive, IllegalCall, SocketFile
from lifecycle.archive import (
    BYTE,
    DWORD,
    INT,
    WORD,
    BadClass,
    BadIndex,
    BadSchema,
    Cause,
    CEditView,
    CObList,
    CString,
    EndOfFile,
    NotSerializable,
    ReadOnly,
    Registry,
    TooLate,
    UnreadBytesLost,
    WriteOnly,
    serializable,
)
from lifecycle.archive import (
    LONG as LONG_,
)

MODES: tuple[Literal["load"], Literal["store"]] = ("load", "store")


def stored(*values: Any, **options: Any) -> bytes:
    """The bytes of values."""
    file = io.BytesIO()
    with Archive(file, "store", **options) as archive:
        for each in values:
            archive << each
    return file.getvalue()


def loading(data: bytes, **options: Any) -> Archive:
    """An archive that loads the bytes."""
    return Archive(io.BytesIO(data), "load", **options)


@contextmanager
def storing_over_a_socket(**options: Any) -> Iterator[tuple[Archive, Any]]:
    """A storing archive over a connection, and the raw peer, which does not wait."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), SocketFile(client) as file:
        peer.setblocking(False)
        with Archive(file, "store", **options) as archive:
            yield archive, peer


@contextmanager
def loading_over_a_socket(data: bytes, **options: Any) -> Iterator[tuple[Archive, Any]]:
    """A loading archive over a connection by which `data` has come in one segment, and the raw peer."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), SocketFile(client) as file:
        peer.sendall(data)
        with Archive(file, "load", **options) as archive:
            yield archive, peer


def nothing_has_come(peer: Any) -> bool:
    """Whether the peer, which does not wait, finds nothing."""
    with pytest.raises(BlockingIOError):
        peer.recv(1)
    return True


def test_row_144_an_archive_has_one_direction() -> None:
    """is_loading and is_storing say which, and another mode than "load" and "store" is a ValueError."""
    with Archive(io.BytesIO(), "load") as load, Archive(io.BytesIO(), "store") as store:
        assert (load.is_loading, load.is_storing, load.state) == (True, False, "loading")
        assert (store.is_loading, store.is_storing, store.state) == (False, True, "storing")
    with pytest.raises(ValueError, match="'load' or 'store', not 'both'"):
        Archive(io.BytesIO(), "both")  # type: ignore[arg-type]


def test_row_145_the_other_direction_is_refused() -> None:
    """>> on a storing archive raises WriteOnly and << on a loading one ReadOnly: illegal calls that change nothing."""
    with Archive(io.BytesIO(), "store") as store, pytest.raises(WriteOnly) as writes:
        store >> DWORD
    with loading(b"\5\0\0\0") as load:
        with pytest.raises(ReadOnly) as reads:
            load << DWORD(5)
        assert load >> DWORD == 5
    assert (writes.value.cause, reads.value.cause) == (Cause.WRITE_ONLY, Cause.READ_ONLY) == (4, 2)
    assert isinstance(writes.value, IllegalCall)
    assert isinstance(reads.value, IllegalCall)


def test_row_145_a_second_file_is_no_question_of_direction() -> None:
    """attach() on an archive that has its file is neither ReadOnly nor WriteOnly: no direction takes it."""
    for mode in MODES:
        with Archive(io.BytesIO(), mode) as archive, pytest.raises(IllegalCall) as refusal:
            archive.attach(io.BytesIO(), mode)
        assert type(refusal.value) is IllegalCall


def test_row_146_nothing_leaves_before_a_flush() -> None:
    """What is stored over a socket waits in the buffer; flush() sends exactly those bytes."""
    with storing_over_a_socket() as (archive, peer):
        archive << DWORD(5) << CString("ab")
        assert not archive.is_buffer_empty
        assert nothing_has_come(peer)
        archive.flush()
        assert archive.is_buffer_empty
        assert peer.recv(100) == stored(DWORD(5), CString("ab"))
        assert nothing_has_come(peer)


def test_row_147_a_value_that_does_not_fit_sends_what_is_there() -> None:
    """With a buffer of 128, the 129th byte sends the first 128, and itself it waits."""
    with storing_over_a_socket(buffer_size=128) as (archive, peer):
        for number in range(128):
            archive << BYTE(number)
        assert nothing_has_come(peer)
        archive << BYTE(255)
        assert peer.recv(1000) == bytes(range(128))
        assert nothing_has_come(peer)
        archive.flush()
        assert peer.recv(1000) == b"\xff"


def test_row_148_the_least_buffer_is_128() -> None:
    """A buffer size of 1 acts as 128."""
    with storing_over_a_socket(buffer_size=1) as (archive, peer):
        archive.write(bytes(128))
        assert nothing_has_come(peer)
        archive << BYTE(1)
        assert peer.recv(1000) == bytes(128)


@pytest.mark.parametrize("leaves", [False, True])
def test_row_149_leaving_scope_flushes_unless_told_otherwise(leaves: bool) -> None:
    """Leaving scope flushes and closes; with no_flush_on_delete it drops; abort() always drops; the file stays open."""
    kept, dropped, aborted = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with Archive(kept, "store") as archive:
        archive << DWORD(5)
    with Archive(dropped, "store", no_flush_on_delete=True) as archive:
        archive << DWORD(5)
        if leaves:
            archive.close()
    with Archive(aborted, "store") as archive:
        archive << DWORD(5)
        archive.abort()
    assert archive.state == "closed"
    assert kept.getvalue() == b"\5\0\0\0"
    assert dropped.getvalue() == (b"\5\0\0\0" if leaves else b"")
    assert aborted.getvalue() == b""
    assert not kept.closed


def test_row_149_a_forgotten_archive_flushes_and_warns() -> None:
    """An archive that is forgotten flushes like any file, and warns like a socket."""
    file = io.BytesIO()
    archive = Archive(file, "store")
    archive << DWORD(5)
    with pytest.warns(ResourceWarning, match=r"unclosed <lifecycle.*Archive storing>"):
        del archive
    assert file.getvalue() == b"\5\0\0\0"


def test_row_150_a_closed_archive_refuses() -> None:
    """After close() every call is an IllegalCall, and closing again does nothing."""
    with Archive(io.BytesIO(), "store") as archive:
        pass
    archive.close()
    for call, *arguments in (("store", DWORD, 1), ("flush",), ("write", b"x"), ("write_object", None)):
        with pytest.raises(IllegalCall, match="not legal in state 'closed'"):
            getattr(archive, call)(*arguments)
    with pytest.raises(IllegalCall):
        archive << DWORD(1)


def test_row_151_a_fresh_loading_archive_is_empty() -> None:
    """Nothing is read from the file before a value is asked for."""
    with loading_over_a_socket(b"\5\0\0\0") as (archive, _):
        assert archive.is_buffer_empty
        assert archive >> DWORD == 5


def test_row_152_two_messages_in_one_segment() -> None:
    """After the first of two messages the buffer is not empty, after the second it is."""
    with loading_over_a_socket(stored(DWORD(5), DWORD(6))) as (archive, _):
        assert archive >> DWORD == 5
        assert not archive.is_buffer_empty
        assert archive >> DWORD == 6
        assert archive.is_buffer_empty


def test_row_153_the_peer_closes_too_early() -> None:
    """Two bytes of a DWORD and then the end: >> raises EndOfFile and breaks the archive; read() gives the two bytes."""
    with loading_over_a_socket(b"\5\0") as (archive, peer):
        peer.close()
        with pytest.raises(
            EndOfFile, match=r"at byte 0: expected DWORD, found the end of the file after 2 of 4 bytes"
        ) as caught:
            archive >> DWORD
        assert (caught.value.cause, caught.value.offset, archive.state) == (3, 0, "broken")
        assert isinstance(caught.value, EOFError)
        with pytest.raises(IllegalCall, match="in the middle of a value"):
            archive >> BYTE
    with loading_over_a_socket(b"\5\0") as (archive, peer):
        peer.close()
        assert (archive.read(4), archive.state) == (b"\5\0", "loading")


def test_row_154_bytes_read_ahead_are_lost_with_a_warning() -> None:
    """Closing a loading archive over a socket while bytes wait in its buffer warns; a file that can seek gets them back."""
    with loading_over_a_socket(stored(DWORD(5), DWORD(6))) as (archive, _):
        assert archive >> DWORD == 5
        with pytest.warns(UnreadBytesLost, match="4 bytes were read ahead"):
            archive.close()
    file = io.BytesIO(stored(DWORD(5), DWORD(6)))
    with warnings.catch_warnings(), Archive(file, "load") as archive:
        warnings.simplefilter("error")
        assert archive >> DWORD == 5
    assert file.read() == b"\6\0\0\0"


def test_the_warning_of_lost_bytes_names_the_line_that_lost_them() -> None:
    """The caller's line, of close() as of a `with` block."""
    for leave in (Archive.close, lambda archive: archive.__exit__(None, None, None)):
        with loading_over_a_socket(stored(DWORD(5), DWORD(6))) as (archive, _):
            assert archive >> DWORD == 5
            with pytest.warns(UnreadBytesLost) as warned:
                leave(archive)
            assert [each.filename for each in warned] == [__file__]


def test_row_155_two_archives_over_one_file_talk_both_ways() -> None:
    """One loading and one storing archive over one socket file, on either side, are a conversation in both directions."""
    with ExitStack() as stack:
        ends = stack.enter_context(connected_pair(timeout=LONG))
        files = [stack.enter_context(SocketFile(end)) for end in ends]
        near_in, near_out, far_in, far_out = (stack.enter_context(Archive(file, mode)) for file in files for mode in MODES)
        for number in range(100):
            near_out << DWORD(number) << CString(f"question {number}")
            near_out.flush()
            assert (far_in >> DWORD, far_in >> CString) == (number, f"question {number}")
            far_out << CString(f"answer {number}")
            far_out.flush()
            assert near_in >> CString == f"answer {number}"


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_row_156_packets_and_acknowledgements(packets: list[bytes]) -> None:
    """A header of a BYTE and a WORD, then data, flushed packet by packet; each is acknowledged before the next."""
    with connected_pair(timeout=LONG) as (client, accepted), SocketFile(client) as near, SocketFile(accepted) as far:

        def serve() -> list[bytes]:
            got = []
            with Archive(far, "load") as packets_in, Archive(far, "store") as acknowledgements:
                for _ in packets:
                    kind, size = packets_in >> BYTE, packets_in >> WORD
                    got.append(packets_in.ensure_read(size))
                    acknowledgements << BYTE(kind)
                    acknowledgements.flush()
            return got

        serving = Background(serve)
        with Archive(near, "store") as packets_out, Archive(near, "load") as acknowledged:
            for number, packet in enumerate(packets):
                (packets_out << BYTE(number) << WORD(len(packet))).write(packet)
                packets_out.flush()
                assert acknowledged >> BYTE == number
        assert serving.result() == packets


@pytest.mark.parametrize("text", ["", "abc", "naïve €", "x" * 254, "x" * 255, "x" * 65534, "ÿ" * 300])
def test_row_160_either_build_reads_the_other(text: str) -> None:
    """A string of a Unicode program arrives converted in an ANSI one, and the other way round, whatever its length."""
    for writer in (False, True):
        data = stored(CString(text), unicode=writer)
        for reader in (False, True):
            with loading(data, unicode=reader) as archive:
                assert archive >> CString == text


def test_row_161_an_object_is_stored_once() -> None:
    """The second time an object is only referred to, and loading gives the same object; later changes are not sent."""
    age = Age(21)
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive << age
        age.years = 22
        archive << age
    assert file.getvalue().hex() == "ffff01000400434167651500" + "0200"
    with loading(file.getvalue()) as archive:
        first, second = archive >> Age, archive >> Age
    assert first is second
    assert first == Age(21)


def test_row_162_cycles_load_to_their_shape() -> None:
    """A ring of nodes of any size comes back as a ring."""
    for size in (1, 2, 50):
        nodes = [Node() for _ in range(size)]
        for number, node in enumerate(nodes):
            node.next = nodes[(number + 1) % size]
        with loading(stored(nodes[0])) as archive:
            found = archive >> Node
        assert same(found, nodes[0])


def test_row_163_null_is_none() -> None:
    """Two zero bytes are None, and None is two zero bytes."""
    assert stored(None) == b"\0\0"
    with loading(b"\0\0") as archive:
        assert archive >> Age is None


def test_row_164_an_unknown_class_is_bad_class() -> None:
    """A class name that was not registered raises BadClass, and a name of 64 bytes too."""
    for description in (b"\xff\xff\1\0\5\0Other", b"\xff\xff\1\0\x40\0" + b"x" * 64):
        with loading(description) as archive, pytest.raises(BadClass, match="at byte 0: expected") as caught:
            archive.read_object()
        assert (caught.value.cause, archive.state) == (6, "closed")
    with loading(stored(Age(21)), registry=Registry()) as archive, pytest.raises(BadClass, match="b'CAge'"):
        archive >> Age


def test_row_165_another_schema() -> None:
    """Under another schema a plain class raises BadSchema; a versionable one loads, and its objects can ask for the number."""
    with (
        loading(b"\xff\xff\2\0\4\0CAge\x15\0") as archive,
        pytest.raises(BadSchema, match="schema 1, found schema 2") as caught,
    ):
        archive >> Age
    assert caught.value.cause == 7
    with loading(b"\xff\xff\7\0\7\0CPerson\xff\xfe\xff\0\x09\0") as archive:
        assert archive >> Person == Person("", 9)
    shelf = stored(Shelf()).replace(b"\3\0\6\0CShelf", b"\2\0\6\0CShelf")
    with loading(shelf) as archive:
        found = archive >> Shelf
    assert found is not None
    assert found.stored_schema == 2


def test_row_166_the_schema_is_told_once() -> None:
    """get_object_schema() answers once while an object loads, -1 the second time, outside, and in a direct serialize()."""
    answers: list[int] = []
    registry = Registry()

    @serializable("CAsks", schema=4, registry=registry)
    class Asks:
        def serialize(self, archive: Archive) -> None:
            if archive.is_loading:
                answers.extend((archive.get_object_schema(), archive.get_object_schema()))

    with loading(stored(Asks(), registry=registry), registry=registry) as archive:
        archive >> Asks
        assert archive.get_object_schema() == -1
        archive.serialize(Asks())
        archive.set_object_schema(7)
        assert archive.get_object_schema() == 7
    assert answers == [4, -1, -1, -1]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ("ffff01000400434167651500" "0280", "a reference to an object of Age (2)"),
        ("ffff01000400434167651500" "0100", "a reference to the class CAge (1)"),
        ("0080", "the tag 0x8000"),
        ("0500", "a reference to object 5"),
        ("0580", "a reference to class 5"),
        ("ff7f00000000", "0 in a tag of six bytes"),
        ("ff7f05000080", "a reference to class 5"),
        ("ff7fffffff7f", "a reference to object 2147483647"),
    ],
)  # fmt: skip
def test_row_167_wrong_references_are_bad_index(data: str, found: str) -> None:
    """A class tag of an object, an object tag of a class, the tag 8000 and a number too large raise BadIndex."""
    with loading(bytes.fromhex(data)) as archive, pytest.raises(BadIndex) as caught:
        archive.read_object()
        archive.read_object()
    assert caught.value.cause == 5
    assert caught.value.found == found


def test_row_168_another_class_than_asked_for_is_bad_class() -> None:
    """An object of a class that is not derived from the one asked for raises BadClass; a base class is fine."""
    with loading(stored(Age(21))) as archive, pytest.raises(BadClass, match="expected an object of Person, found one of CAge"):
        archive >> Person
    with loading(stored(Age(21))) as archive:
        assert archive.read_object(object) == Age(21)
    with loading(stored(Age(21), Age(22))) as archive:
        assert archive >> Age == Age(21)
        with pytest.raises(BadClass):
            archive >> Person


def test_row_169_a_class_that_is_not_serializable() -> None:
    """An object of a class that was not made serializable is refused, also of a derived one, and nothing was stored."""

    @dataclass
    class Derived(Age):
        more: WORD = 0

    file = io.BytesIO()
    with Archive(file, "store") as archive:
        for thing in (object(), Derived(1), {}):
            with pytest.raises(NotSerializable, match="is not serializable"):
                archive << thing
            with pytest.raises(NotSerializable):
                archive.write_object(thing)
        with pytest.raises(NotSerializable):
            archive.write_object(CObList([Age(1), object()]))
        assert archive.state == "storing"
    assert file.getvalue() == b""


def test_row_170_mapped_objects_cost_no_bytes() -> None:
    """An object mapped on both sides is found by the objects that refer to it, and none of its bytes travel."""
    near, far = Document(), Document()
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive.map_object(near)
        archive << SubItem(near, 3) << SubItem(near, 4)
    assert b"CDoc" not in file.getvalue()
    with loading(file.getvalue()) as archive:
        archive.map_object(far)
        items = [archive >> SubItem, archive >> SubItem]
    assert [item is not None and item.document is far and item.number for item in items] == [3, 4]


def test_row_171_parameters_come_before_the_first_object() -> None:
    """set_load_params() and set_store_params() have no effect on bytes and are refused after the first object."""
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        archive.set_store_params(137, 16)
        archive << Age(21)
        with pytest.raises(TooLate, match=r"set_store_params\(\) comes before the first object"):
            archive.set_store_params()
        with pytest.raises(ReadOnly if archive.is_loading else WriteOnly):
            archive.set_load_params()
    with loading(file.getvalue()) as archive:
        archive.set_load_params(64)
        archive >> Age
        with pytest.raises(TooLate):
            archive.set_load_params()


@pytest.mark.parametrize("unicode", [False, True])
def test_row_172_lines_of_text(unicode: bool) -> None:
    """A line ends with LF, or with CR and the character behind it; the end is not given; None is the end of the file."""
    file = io.BytesIO()
    with Archive(file, "store", unicode=unicode) as archive:
        archive.write_string("String1\nString2\r\n\nlast")
    assert len(file.getvalue()) == 22 * (2 if unicode else 1)
    with loading(file.getvalue(), unicode=unicode) as archive:
        assert [archive.read_string() for _ in range(5)] == ["String1", "String2", "", "last", None]
        assert archive.state == "loading"
    with loading(file.getvalue(), unicode=unicode) as archive:
        assert [archive.read_string(most=4) for _ in range(3)] == ["Stri", "ng1", "Stri"]


@pytest.mark.parametrize("unicode", [False, True])
def test_row_173_a_text_view_travels_over_a_socket(unicode: bool) -> None:
    """serialize() tells the text's length, so that it travels over a socket; a text beyond the limit is BadIndex."""
    view = CEditView("two\r\nlines €")
    with connected_pair(timeout=LONG) as (client, accepted), SocketFile(client) as near, SocketFile(accepted) as far:
        with Archive(near, "store", unicode=unicode) as archive:
            view.serialize(archive)
        with Archive(far, "load", unicode=unicode) as archive:
            found = CEditView()
            found.serialize(archive)
    assert found == view
    small = CEditView(limit=3)
    with loading(b"\4\0\0\0abcd", unicode=False) as archive, pytest.raises(BadIndex, match="at most 3 characters"):
        small.serialize(archive)


def test_row_174_a_raw_text_view_needs_a_length() -> None:
    """serialize_raw() over a socket is refused in both directions with the reason, and nothing moves; on a file it works."""
    with connected_pair(timeout=LONG) as (client, _), SocketFile(client) as file:
        for mode in ("load", "store"):
            with Archive(file, mode) as archive:  # type: ignore[arg-type]
                with pytest.raises(io.UnsupportedOperation, match="A connection has no length"):
                    CEditView("ab").serialize_raw(archive)
                assert archive.state == {"load": "loading", "store": "storing"}[mode]
                assert archive.is_buffer_empty
    disk = io.BytesIO()
    with Archive(disk, "store") as archive:
        CEditView("ab\r\n").serialize_raw(archive)
    disk.seek(0)
    with Archive(disk, "load") as archive:
        found = CEditView()
        found.serialize_raw(archive)
    assert found == CEditView("ab\r\n")


def test_row_175_the_file_is_the_one_given() -> None:
    """`file`, and get_file(), is the file given to the constructor."""
    with client_and_raw_peer() as (client, _), SocketFile(client) as file, Archive(file, "store") as archive:
        assert archive.file is archive.get_file() is file


def test_row_176_the_document_is_free_for_the_user() -> None:
    """`document` is None until somebody sets it."""
    with Archive(io.BytesIO(), "store") as archive:
        assert archive.document is None
        archive.document = "mine"
        assert archive.document == "mine"


def test_bytes_of_a_real_program() -> None:
    """The 28 bytes that a Unicode program of Visual Studio 2022 wrote: a long, a CString and an int."""
    data = bytes.fromhex("39300000 fffeff08 7a00 6800 6100 6e00 6700 7300 6100 6e00 0c000000")
    with loading(data) as archive:
        assert [archive >> LONG_, archive >> CString, archive >> INT] == [12345, "zhangsan", 12]
    assert stored(LONG_(12345), CString("zhangsan"), INT(12)) == data
