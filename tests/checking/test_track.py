"""What is kept of a socket: the two ends of a long history, the places of calls that come often, the names of threads."""

from __future__ import annotations

import _thread
import socket
import threading
from collections.abc import Iterator
from types import FrameType

import pytest
from checking.layers import Layer, asked

from lifecycle.checking import checked_sockets, track
from lifecycle.checking.call_sites import UNKNOWN, CallSite
from lifecycle.checking.registry import track_of
from lifecycle.checking.track import Event, SocketTrack, place_at, thread_name


@pytest.fixture
def followed() -> Iterator[SocketTrack]:
    """The track of a new socket."""
    with checked_sockets(open_is_leak=False), socket.socket() as sock:
        found = track_of(sock)
        assert found is not None
        yield found


@pytest.mark.parametrize("is_limited", [True, False])
@pytest.mark.parametrize("count", [62, 63, 64, 65, 100])
def test_long_history_keeps_both_ends(followed: SocketTrack, count: int, is_limited: bool) -> None:
    """The first sixteen and the last forty-eight events are kept, and the others counted, unless all are to be kept."""
    events = [Event(str(number), "", "ok", "", UNKNOWN, "", 0.0, 0.0) for number in range(1, count + 1)]
    for event in events:
        followed.note(event, limit=is_limited)
    calls = ["socket", *(event.call for event in events)]
    left_out = max(0, len(calls) - 64) if is_limited else 0
    assert [event.call for event in followed.events] == [*calls[:16], *calls[16 + left_out :]]
    assert followed.left_out == left_out


def test_history_begins_where_the_socket_was_made(followed: SocketTrack) -> None:
    """A usual call has its time as 0 and no state before the first; the place is that of the line, also of a step alone."""
    (made,) = followed.events
    assert made == Event("socket", "", "ok", "open", followed.made, threading.current_thread().name, 0.0, 0.0)
    assert (followed.made.file, followed.made.function) == (__file__, "followed")
    sock = followed()
    assert sock is not None
    sock.bind(("127.0.0.1", 0))
    bound = followed.events[1]
    assert (bound.call, bound.state, bound.outcome, bound.next_state, bound.began, bound.ended) == (
        "bind", "open", "ok", "bound", 0.0, 0.0,
    )  # fmt: skip
    followed.noted.clear()
    assert followed.made == UNKNOWN


THROUGH: tuple[Layer, ...] = (("program main", "CALL()"), ("package answer", "for _ in range(TIMES):\n    CALL()"))


def test_place_of_what_a_library_calls_often_is_its_own() -> None:
    """The first hundred and one calls of a library's line are told by the program's, further ones by its own, unless exact."""
    places: list[tuple[object, int]] = []

    def note(frame: FrameType) -> None:
        places.append(place_at(frame, is_exact=False))

    asked(THROUGH, note, TIMES=104)
    kinds = [type(place).__name__ for place, _ in places]
    assert kinds == ["CallSite"] * 101 + ["code"] * 3
    assert {place.function for place, _ in places if isinstance(place, CallSite)} == {"main"}
    assert {instruction == -1 for place, instruction in places if isinstance(place, CallSite)} == {True}
    assert {instruction > 0 for place, instruction in places if not isinstance(place, CallSite)} == {True}
    exact: list[str] = []
    asked(THROUGH, lambda frame: exact.append(type(place_at(frame, is_exact=True)[0]).__name__), TIMES=104)
    assert exact == ["CallSite"] * 104
    own = asked((("program main", "CALL()"), ("socket send", "CALL()")), lambda frame: place_at(frame, is_exact=False))
    assert (getattr(own[0], "co_name", ""), own[1] > 0) == ("main", True)


def test_place_is_told_by_the_program_again_when_many_were_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted of libraries is forgotten when it gets too much, so that it takes no more memory."""
    monkeypatch.setattr(track, "_MANY", 3)
    track._passed.clear()
    for _ in range(9):
        asked((("program", "CALL()"), ("package", "CALL()")), lambda frame: place_at(frame, is_exact=False))
        assert len(track._passed) <= 4
    track._passed.clear()


def test_threads_have_names() -> None:
    """A thread has its name, and one that `threading` does not know its number; none is made for it."""
    names: list[str] = []
    thread = threading.Thread(target=lambda: names.append(thread_name()), name="by name")
    thread.start()
    thread.join()
    ended = threading.Event()
    number: list[int] = []

    def work() -> None:
        number.append(_thread.get_ident())
        names.append(thread_name())
        ended.set()

    _thread.start_new_thread(work, ())
    assert ended.wait(10)
    assert names == ["by name", f"thread {number[0]}"]
    assert thread_name(threading.get_ident()) == threading.current_thread().name
    assert thread_name(-5) == "thread -5"


def test_a_track_is_false_and_shows_so(followed: SocketTrack) -> None:
    """It stands where a program reads whether the socket is closed."""
    assert (bool(followed), repr(followed), followed.name) == (False, "False", f"stream#{followed.number}")
