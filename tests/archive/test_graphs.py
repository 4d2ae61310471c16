"""Graphs of objects through archives: what is loaded has the shape of what was stored, and the same bytes again."""

from __future__ import annotations

import io
from typing import Any

from archive_bytes import stored
from archive_classes import Age, Node, same
from archive_strategies import graphs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from long_form import part
from loopback import LONG, Background, connected_pair

from lifecycle.archive import (
    DOUBLE,
    DWORD,
    Archive,
    CArray,
    CList,
    CMap,
    CObArray,
    CObList,
    CString,
    SocketFile,
)


@settings(max_examples=part(150, 30), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(graphs(), st.integers(1, 5000))
def test_graphs_travel_over_a_connection(things: list[Any], buffer_size: int) -> None:
    """Any graph arrives over a real connection in its shape, and storing what was loaded gives identical bytes."""
    with connected_pair(timeout=LONG) as (client, accepted), SocketFile(client) as near, SocketFile(accepted) as far:

        def send() -> None:
            with Archive(near, "store", buffer_size=buffer_size) as archive:
                for thing in things:
                    archive << thing

        sending = Background(send)
        with Archive(far, "load", buffer_size=buffer_size) as archive:
            found = [archive.read_object() for _ in things]
            assert archive.is_buffer_empty
        sending.result()
    assert same(found, things)
    assert stored(*found) == stored(*things)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 0xFFFF)), max_size=30), st.booleans())
def test_many_pointers_are_stored_as_one_by_one(picks: list[tuple[int, int]], unicode: bool) -> None:
    """An array has the bytes of its count and of its objects one by one, also where runs of one class take a short cut."""
    pool: list[Any] = [None, Age(1), Node(), CObList()]
    things = [pool[pick] if pick != 1 else Age(number) for pick, number in picks]
    body = CObArray(things)
    file = io.BytesIO()
    with Archive(file, "store", unicode=unicode) as archive:
        body.serialize(archive)
    one_by_one = io.BytesIO()
    with Archive(one_by_one, "store", unicode=unicode) as archive:
        archive.write_count(len(things))
        for thing in things:
            archive << thing
    assert file.getvalue() == one_by_one.getvalue()
    with Archive(io.BytesIO(file.getvalue()), "load", unicode=unicode) as archive:
        found = CObArray()
        found.serialize(archive)
    assert same(found, body)


@given(
    st.lists(st.integers(0, 0xFFFFFFFF)),
    st.lists(st.text("aé€", max_size=300), max_size=5),
    st.dictionaries(st.integers(0, 0xFFFFFFFF), st.floats(allow_nan=False), max_size=5),
    st.booleans(),
)
def test_templates_round_trip(numbers: list[int], texts: list[str], pairs: dict[int, float], unicode: bool) -> None:
    """CArray, CList and CMap of values come back as they were, by operators and by store() and load()."""
    file = io.BytesIO()
    with Archive(file, "store", unicode=unicode) as archive:
        archive << CArray[DWORD](numbers) << CList[CString](texts) << CMap[DWORD, DOUBLE](pairs)
        archive.store(CArray[DWORD], numbers)
    with Archive(io.BytesIO(file.getvalue()), "load", unicode=unicode) as archive:
        assert archive >> CArray[DWORD] == numbers
        assert archive >> CList[CString] == texts
        assert archive >> CMap[DWORD, DOUBLE] == pairs
        assert archive.load(CArray[DWORD]) == numbers
        assert archive.read(1) == b""


def test_a_list_is_added_to_and_an_array_is_replaced() -> None:
    """serialize() of a list that is not empty adds what comes, as MFC's does; that of an array replaces what was there."""
    data = stored()
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        CObList([Age(1)]).serialize(archive)
        CObArray([Age(2)]).serialize(archive)
    with Archive(io.BytesIO(file.getvalue() + data), "load") as archive:
        ages, others = CObList([None]), CObArray([None, None])
        ages.serialize(archive)
        others.serialize(archive)
    assert (ages, others) == ([None, Age(1)], [Age(2)])


def test_everything_stored_is_kept_alive() -> None:
    """An object that nobody else holds is not mistaken for a later one that has its place in memory."""
    file = io.BytesIO()
    with Archive(file, "store") as archive:
        for number in range(1000):
            archive << Age(number)
    with Archive(io.BytesIO(file.getvalue()), "load") as archive:
        assert [archive >> Age for _ in range(1000)] == [Age(number) for number in range(1000)]


def test_a_class_that_refers_to_one_declared_later() -> None:
    """Annotations are looked at when the first object travels, so that two classes may refer to each other."""
    first, second = Node(), Node()
    first.next = second
    with Archive(io.BytesIO(stored(first)), "load") as archive:
        found = archive >> Node
    assert found is not None
    assert found.next is not None
    assert found.next.next is None
