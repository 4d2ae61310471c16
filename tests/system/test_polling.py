"""Waits: for each kind of readiness, by poll() and by select(), and what wakes them."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from loopback import HOST, LONG, raw_listener

from lifecycle.system import polling
from lifecycle.system.polling import MAX_WAKERS, Glance, Wait, Waker

POLLS = [polling._poll_by_select] + ([polling._poll_by_poll] if hasattr(polling, "_poll_by_poll") else [])


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def waker() -> Iterator[Waker]:
    made = Waker()
    yield made
    made.close()


@pytest.fixture(params=POLLS, ids=lambda poll: poll.__name__)
def poll(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_what_is_ready_and_what_woke_are_told_apart(poll: Any, pair: tuple[socket.socket, socket.socket], waker: Waker) -> None:
    """(woken, ready) in each of the cases: data has arrived or not, there is a waker or not, and it was woken or not."""
    one, other = pair
    found = []
    for has_data in (False, True):
        if has_data:
            other.send(b"x")
        found += [poll((one.fileno(),), None, False, 0.0), poll((one.fileno(),), waker.fileno(), False, 0.0)]
    waker.wake()
    found += [poll((one.fileno(),), waker.fileno(), False, 0.0), poll((), waker.fileno(), False, None)]
    one.recv(1)
    found += [poll((one.fileno(),), waker.fileno(), False, None), poll((one.fileno(),), waker.fileno(), True, None)]
    no, ready, woken = (False, False), (False, True), (True, False)
    assert found == [no, no, ready, ready, (True, True), woken, woken, (True, True)]


def test_writing_waits_for_room_and_reading_for_data(poll: Any, pair: tuple[socket.socket, socket.socket]) -> None:
    """A full socket is not ready for writing, and an empty one not for reading; of two descriptors one is enough."""
    one, other = pair
    one.setblocking(False)
    assert poll((one.fileno(),), None, True, 0.0) == (False, True)
    with pytest.raises(BlockingIOError):
        while True:
            one.send(bytes(1 << 16))
    assert poll((one.fileno(),), None, True, 0.0) == (False, False)
    assert poll((one.fileno(), other.fileno()), None, True, 0.0) == (False, True)
    assert poll((one.fileno(), other.fileno()), None, False, 0.0) == (False, True)


def test_a_refused_connect_is_ready_for_writing(poll: Any) -> None:
    """The end of a connect is noticed whether it succeeds or not."""
    with socket.socket() as connecting:
        connecting.setblocking(False)
        with raw_listener() as listener:
            name = listener.getsockname()
        connecting.connect_ex(name)
        assert poll((connecting.fileno(),), None, True, time.monotonic() + LONG) == (False, True)


def test_a_poll_lasts_until_its_deadline(poll: Any, pair: tuple[socket.socket, socket.socket], waker: Waker) -> None:
    """With nothing ready it ends when the deadline has passed and not before, with and without descriptors."""
    for descriptors, of_waker in (((pair[0].fileno(),), None), ((), waker.fileno()), ((), None)):
        deadline = time.monotonic() + 0.02
        assert poll(descriptors, of_waker, False, deadline) == (False, False)
        assert 0 <= time.monotonic() - deadline < 1


@pytest.mark.parametrize(
    ("deadline", "seconds"), [(None, None), (-1.0, 0.0), (math.inf, polling.LONGEST_WAIT), (5e9, polling.LONGEST_WAIT)]
)
def test_the_seconds_until_a_deadline(deadline: float | None, seconds: float | None) -> None:
    """None without one, 0 behind it, and never more than poll(2) can count in milliseconds."""
    assert polling._seconds_until(deadline) == seconds
    assert polling.LONGEST_WAIT * 1000 < 1 << 31


def test_the_deadline_after_a_timeout() -> None:
    """It is that many seconds from now; None, which is for ever, has none."""
    before = time.monotonic()
    assert polling.deadline_after(None) is None
    assert before + 5 <= (polling.deadline_after(5) or 0) <= time.monotonic() + 5


def test_a_waker_drops_the_bytes_of_waits_that_are_over(waker: Waker) -> None:
    """Without a wait that was woken it is for nobody, and stays quiet; with one it stays ready until that has noticed."""
    assert not waker.is_for_another()
    for _ in range(100):
        waker.wake()
    assert not waker.is_for_another()
    assert polling._poll((), waker.fileno(), False, 0.0) == (False, False)
    wait = Wait()
    waker.members.add(polling.ref(wait))
    waker.wake()
    wait._is_woken = True
    assert waker.is_for_another()
    assert polling._poll((), waker.fileno(), False, 0.0) == (True, False)
    wait._is_woken = False
    assert not waker.is_for_another()
    wait.finish()


def test_a_waker_that_is_full_or_closed_may_be_woken(waker: Waker) -> None:
    """wake() neither waits nor raises, however often it was called, and after close() as well."""
    assert (waker._reader.gettimeout(), waker._writer.gettimeout()) == (0, 0)
    with suppress(BlockingIOError):
        while waker._writer.send(bytes(1 << 16)):
            pass
    waker.wake()
    waker.close()
    waker.wake()


def test_wake_ends_a_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    """A wait that was woken before it began ends at once, and one that waits is woken; each only once."""
    wait, number = Wait(), (pair[0].fileno(),)
    try:
        assert not wait.cancelled
        wait.wake()
        assert wait.until_ready(number, writing=False, deadline=None)
        assert not wait.until_ready(number, writing=False, deadline=time.monotonic())
        threading.Timer(0.02, wait.wake).start()
        assert wait.until_ready(number, writing=False, deadline=time.monotonic() + LONG)
        assert not wait.until_ready(number, writing=False, deadline=0.0)
        pair[1].send(b"x")
        assert wait.until_ready(number, writing=False, deadline=0.0)
    finally:
        wait.finish()


@pytest.mark.parametrize("has_waker", [True, False])
def test_what_was_ready_in_vain_is_ignored_for_a_moment(has_waker: bool, pair: tuple[socket.socket, socket.socket]) -> None:
    """A descriptor that is ready all the time ends such a wait after SLICE, and a deadline before that ends it, too."""
    wait = Wait()
    if not has_waker:
        wait.finish()
    try:
        pair[1].send(b"x")
        number, began = (pair[0].fileno(),), time.monotonic()
        assert wait.until_ready(number, writing=False, deadline=None, in_vain=True)
        assert polling.SLICE <= time.monotonic() - began < 1
        began = time.monotonic()
        assert not wait.until_ready(number, writing=False, deadline=began + polling.SLICE / 4, in_vain=True)
        assert time.monotonic() - began < 1
    finally:
        wait.finish()


def test_without_a_waker_a_wait_looks_again_and_again(pair: tuple[socket.socket, socket.socket]) -> None:
    """It notices that it was woken, that data has arrived, and that the time is over."""
    wait, number = Wait(), (pair[0].fileno(),)
    wait.finish()
    wait.finish()
    threading.Timer(0.03, wait.wake).start()
    assert wait.until_ready(number, writing=False, deadline=None)
    threading.Timer(0.03, pair[1].send, (b"x",)).start()
    assert wait.until_ready(number, writing=False, deadline=time.monotonic() + LONG)
    pair[0].recv(1)
    assert not wait.until_ready(number, writing=False, deadline=time.monotonic() + 0.02)


def test_waits_share_wakers(pair: tuple[socket.socket, socket.socket]) -> None:
    """There are no more wakers than MAX_WAKERS; each of more waits has one, evenly, and is still woken alone."""
    waits = [Wait() for _ in range(3 * MAX_WAKERS)]
    try:
        assert len(polling.wakers) == MAX_WAKERS == 8
        assert {len(waker.members) for waker in polling.wakers} == {3}
        number = (pair[0].fileno(),)
        waits[0].wake()
        same = [wait for wait in waits[1:] if wait._waker is waits[0]._waker]
        assert not same[0].until_ready(number, writing=False, deadline=time.monotonic() + 0.02)
        assert waits[0].until_ready(number, writing=False, deadline=time.monotonic() + LONG)
        waits.pop().finish()
        waits.append(Wait())
        assert {len(waker.members) for waker in polling.wakers} == {3}
    finally:
        for wait in waits:
            wait.finish()
    assert {len(waker.members) for waker in polling.wakers} == {0}


def test_a_wait_that_was_dropped_leaves_its_waker() -> None:
    """A wait that nobody finishes is no member any more once it is collected."""
    wait = Wait()
    waker = wait._waker
    assert waker is not None
    count = len(waker.members)
    del wait
    assert len(waker.members) == count - 1


def test_a_glance_cannot_be_woken() -> None:
    """It has what a Wait has, and wake() does nothing: it is over within SOON."""
    glance = Glance()
    glance.wake()
    assert (glance.cancelled, glance.process) == (False, Wait().process)


def test_what_is_ready_now_and_soon(pair: tuple[socket.socket, socket.socket]) -> None:
    """is_ready() does not wait; is_readable_soon() waits for a moment, and sees what arrives in it."""
    one, other = pair
    assert [polling.is_ready(one.fileno(), writing=writing) for writing in (False, True)] == [False, True]
    assert not polling.is_readable_soon(one.fileno())
    other.send(b"x")
    assert polling.is_ready(one.fileno(), writing=False)
    assert polling.is_readable_soon(one.fileno())


def test_urgent_data_is_exceptional(waker: Waker) -> None:
    """until_exceptional() ends for urgent data with True, and for the waker with False; ordinary data does not end it."""
    with raw_listener() as listener, socket.create_connection(listener.getsockname()) as sending:
        receiving, _ = listener.accept()
        with receiving:
            sending.send(b"ordinary")
            waker.wake()
            assert not polling.until_exceptional(receiving.fileno(), waker)
            assert not waker.is_for_another()
            threading.Timer(0.02, sending.send, (b"!", socket.MSG_OOB)).start()
            assert polling.until_exceptional(receiving.fileno(), waker)
            assert receiving.getsockname()[0] == HOST
