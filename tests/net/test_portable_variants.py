"""What takes the place of calls that only some systems have, tried on this one: each must do the same as its sibling."""

from __future__ import annotations

import errno
import os
import socket
import warnings
from typing import Any

import pytest
from kernel import ERROR
from loopback import (
    HOST,
    LONG,
    Background,
    connected_pair,
    datagram_pair,
    listening,
    raw_listener,
    until,
    until_shows,
    unused_port,
)

from lifecycle import Client, ClosedDuringCall, MessageTruncated
from lifecycle.system import polling, portable_calls
from lifecycle.system.outcomes import UNDER_WAY
from lifecycle.system.polling import is_ready
from lifecycle.system.portable_calls import readable_by_peek, readable_bytes, receive_by_recvfrom, result_by_option


def test_waiting_by_select(monkeypatch: pytest.MonkeyPatch) -> None:
    """With select(): a blocked accept is woken by a connection, by close(), and by its time-out."""
    monkeypatch.setattr(polling, "_poll", polling._poll_by_select)
    with listening(timeout=LONG) as server:
        blocked = Background(server.accept)
        until(lambda: server.is_blocking)
        with socket.create_connection(server.get_sock_name()):
            blocked.result().close()
        server.timeout = 0.01
        with pytest.raises(TimeoutError):
            server.accept()
        server.timeout = None
        blocked = Background(server.accept)
        until(lambda: server.is_blocking)
        server.close()
        with pytest.raises(ClosedDuringCall):
            blocked.result()


def test_connect_result_by_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """With SO_ERROR: a connect succeeds, a refused one is refused, also when somebody has read the reason before."""
    monkeypatch.setattr(portable_calls, "connect_result", result_by_option)
    with raw_listener() as listener, Client(timeout=LONG) as client:
        client.create(0, HOST)
        client.connect(*listener.getsockname())
        assert client.state == "connected"
    with Client(timeout=0) as client:
        client.create(0, HOST)
        with pytest.raises(BlockingIOError):
            client.connect(HOST, unused_port())
        until_shows(client, ERROR)
        assert client.get_option(socket.SO_ERROR) == errno.ECONNREFUSED
        with pytest.raises(ConnectionRefusedError):
            client.finish_connect()
        assert client.state == "bound"
    assert errno.ECONNREFUSED not in UNDER_WAY


@pytest.mark.parametrize("sent", [0, 1, 15, 16, 17, 1000])
def test_readable_bytes_by_peek(sent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peek, which looks at more and more, counts what FIONREAD counts."""
    monkeypatch.setattr(portable_calls, "_PEEK_START", 16)
    with connected_pair(timeout=LONG) as (client, accepted):
        client.send(bytes(sent))
        until(lambda: accepted.io_ctl() == sent)
        assert readable_by_peek(accepted._socket) == readable_bytes(accepted._socket) == sent


def test_messages_by_recvfrom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without recvmsg() a message arrives with its sender; only the system's own error tells there that one was too long."""
    monkeypatch.setattr(portable_calls, "receive_message", receive_by_recvfrom)
    with datagram_pair(timeout=LONG) as (one, other):
        other.send_to(b"hello", *one.get_sock_name())
        assert one.receive_from() == (b"hello", other.local_address)

    class Winsock:
        """A socket that answers to a long message as Winsock documents it: the head is there, and WSAEMSGSIZE."""

        def recvfrom_into(self, buffer: bytearray, size: int, flags: int) -> tuple[int, object]:
            buffer[:] = b"long message"[:size]
            raise OSError(errno.EMSGSIZE, "message too long")

    assert receive_by_recvfrom(Winsock(), 4, 0) == (b"long", True, None)  # type: ignore[arg-type]
    assert MessageTruncated(b"long", None).errno == errno.EMSGSIZE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_process_has_wakers_of_its_own() -> None:
    """The spare wakers of a process are not its child's, whose waits would wake the parent's."""
    with listening(timeout=0.01) as server, pytest.raises(TimeoutError):
        server.accept()
    assert polling.wakers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that other threads run
        child = os.fork()
    if not child:
        os._exit(len(polling.wakers))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_another_port_where_the_old_one_is_taken() -> None:
    """After a refusal the socket is bound again: to its old address, or to any where that was taken meanwhile."""
    bound: list[Any] = []

    class Released:
        """A socket that has lost its address to another one."""

        family = socket.AF_INET

        def bind(self, name: tuple[str, int]) -> None:
            bound.append(name)
            if name[1] == 50000:
                raise OSError(errno.EADDRINUSE, "taken")

    portable_calls.bind_again(Released(), (HOST, 50000))  # type: ignore[arg-type]
    assert bound == [(HOST, 50000), ("0.0.0.0", 0)]


def test_a_connect_of_unknown_address_is_collected_by_its_option() -> None:
    """Of a socket that others have let connect the refusal is read as an option, and another connect may follow at once."""
    with socket.socket() as plain, raw_listener() as listener:
        plain.setblocking(False)
        plain.bind((HOST, 0))
        assert plain.connect_ex((HOST, unused_port())) in UNDER_WAY
        until(lambda: is_ready(plain.fileno(), writing=True))
        assert portable_calls.connect_result(plain, None) == errno.ECONNREFUSED
        assert plain.connect_ex(listener.getsockname()) in (0, *UNDER_WAY)
        until(lambda: portable_calls.connect_result(plain, listener.getsockname()) in (0, errno.EISCONN))


def test_the_old_peer_is_set_again_after_a_connect_that_fails() -> None:
    """Some kernels report the old peer after a connect that has failed, and send to the new one: the old one is set again."""
    peers: list[Any] = []

    class Connected:
        """A datagram socket that cannot reach a broadcast address."""

        def getpeername(self) -> tuple[str, int]:
            return HOST, 1

        def connect(self, name: tuple[str, int]) -> None:
            peers.append(name)
            if name != self.getpeername():
                raise PermissionError(errno.EACCES, "broadcast")

    with pytest.raises(PermissionError):
        portable_calls.set_peer(Connected(), ("255.255.255.255", 9))  # type: ignore[arg-type]
    assert peers == [("255.255.255.255", 9), (HOST, 1)]
