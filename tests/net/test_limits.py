"""A process at its limits: calls on healthy objects go on, errors say what was sent, and their texts can be read."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
from campaigns.connections import MOST_WAKERS, reached
from descriptors import no_descriptors_left
from loopback import LONG, SHORT, Background, connected_pair, datagram_pair, listening, open_descriptors, until

from lifecycle import Client, Server
from lifecycle.system import polling, refusals
from lifecycle.system.platform_answers import answers_text

posix = pytest.mark.skipif(sys.platform == "win32", reason="the limit is POSIX's")


@posix
def test_calls_wait_without_a_descriptor_left() -> None:
    """At the descriptor limit a receive waits, a send that times out says how much was sent, and a close ends a wait."""
    polling._leave_wakers()
    with (
        connected_pair(timeout=SHORT) as (client, accepted),
        datagram_pair(timeout=LONG) as (one, other),
        no_descriptors_left(),
    ):
        with pytest.raises(TimeoutError) as timed_out:
            client.send(bytes(50_000_000))
        assert timed_out.value.sent > 0  # type: ignore[attr-defined]
        receiving = Background(one.receive)
        until(lambda: one.is_blocking)
        other.send_to(b"late", *one.get_sock_name())
        assert receiving.result() == b"late"
        accepted.timeout = LONG
        assert accepted.receive(10) == bytes(10)


class Failing:
    """A socket that sends a part and then fails."""

    def __init__(self, error: BaseException) -> None:
        self.error: BaseException | None = error

    def send(self, data: Any, flags: int = 0) -> int:
        error, self.error = self.error, None
        if error is None:
            raise BlockingIOError
        self.error = self.second = error
        self.send = self._fail  # type: ignore[method-assign]
        return 3

    def __lshift__(self, data: Any) -> int:
        return self.send(data)

    def _fail(self, data: Any, flags: int = 0) -> int:
        raise self.second

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize(
    "error", [OSError(105, "no buffer"), ConnectionResetError(104, "reset"), KeyboardInterrupt(), MemoryError()]
)
def test_whatever_ends_a_send_says_how_much_was_sent(error: BaseException) -> None:
    """Every exception that ends a send has `sent`."""
    with connected_pair(timeout=LONG) as (client, _):
        own = client._socket
        client._socket = Failing(error)  # type: ignore[assignment]
        try:
            with pytest.raises(type(error)) as raised:
                client.send(b"hello world")
        finally:
            client._socket = own
        assert raised.value.sent == 3  # type: ignore[attr-defined]


@posix
def test_waits_share_wakers() -> None:
    """However many calls wait, they take a few descriptors together; closing one object ends only its own wait."""
    with listening(timeout=LONG) as server:
        before = len(open_descriptors())
        pairs = []
        try:
            for _ in range(40):
                client = Client(timeout=LONG)
                client.open()
                client.connect(*server.get_sock_name())
                pairs.append((client, server.accept(), Background(client.receive)))
            until(lambda: all(client.is_blocking for client, _, _ in pairs))
            assert len(open_descriptors()) - before <= 2 * len(pairs) + 2 * MOST_WAKERS
            for number, (client, accepted, receiving) in enumerate(pairs):
                if number % 2:
                    client.close()
                    with pytest.raises(Exception, match="was closed"):
                        receiving.result()
                else:
                    accepted.send(b"x")
                    assert receiving.result() == b"x"
        finally:
            for client, accepted, _ in pairs:
                client.close()
                accepted.close()


def test_threads_that_begin_to_wait_together_make_no_more_wakers() -> None:
    """However many threads begin to wait at one moment, the wakers are at most those of the process."""
    polling._leave_wakers()
    together = threading.Barrier(40)

    def wait() -> polling.Wait:
        together.wait(LONG)
        return polling.Wait()

    waits = [each.result() for each in [Background(wait) for _ in range(40)]]
    try:
        assert len(polling.wakers) <= polling.MAX_WAKERS
    finally:
        for each in waits:
            each.finish()


@posix
def test_a_thread_per_connection_reaches_as_many_connections() -> None:
    """Under a descriptor limit of 128, a server with a waiting thread per connection has 85 % of plain sockets' connections.

    The wakers take 16 descriptors of every process; with `ulimit -n 1024` that is 2 %: `python -m tests.campaigns.connections`.
    """
    ours, plain = reached(128)
    assert plain > 100
    assert ours >= 0.85 * plain


@posix
def test_texts_of_errors_need_nothing() -> None:
    """At the descriptor limit the text of a refusal can be read, and says what real systems would have answered."""
    with Server() as server, no_descriptors_left():
        with pytest.raises(Exception, match="not legal") as refused:
            server.accept()
        assert "Winsock would answer WSAENOTSOCK" in str(refused.value)
        assert refused.value.platform_errors["winsock"] == "WSAENOTSOCK"  # type: ignore[attr-defined]


def test_answers_are_those_of_the_matrices() -> None:
    """answers.txt is current: `python diagrams/regenerate.py` writes it."""
    assert refusals._text == answers_text()


@pytest.mark.parametrize(
    ("backlog", "asked"), [(None, ()), (0, (0,)), (-5, (0,)), (100, (100,)), (2**31 - 1, (2**31 - 1,)), (2**31, (2**31 - 1,))]
)
def test_a_backlog_within_the_systems_range_is_passed_on(
    backlog: int | None, asked: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system is asked for as many as were given, or the nearest number that it takes; by default it chooses."""
    calls: list[tuple[int, ...]] = []

    class Listener:
        def listen(self, *arguments: int) -> None:
            calls.append(arguments)

    with Server() as server:
        server.create(0, "127.0.0.1")
        with monkeypatch.context() as patched:
            patched.setattr(Server, "_own_sockets", (Listener(),))
            server.listen(backlog)
    assert calls == [asked]
