"""The layer of TLS over two buffers: whatever the room and the pieces, what is sent comes, in order, and each end is known."""

from __future__ import annotations

import errno
import socket
import ssl
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from long_form import part
from secured import VERSIONS

from lifecycle import HandshakeRefused, StreamTruncated
from lifecycle.conformance.adapters.certificates import client_context, server_context
from lifecycle.net.operations.securing import NoRoom
from lifecycle.net.taking import RECORD, TAKE
from lifecycle.net.tls_layer import PIECE, TlsLayer

ACTIONS = ("send", "recv", "flush", "peek")


class Buffered:
    """A socket over memory: `room` bytes may go out, and what the other one has sent comes in."""

    def __init__(self) -> None:
        self.arrived: deque[bytes] = deque()
        self.room = 1 << 30
        self.peer: Buffered
        self.ends: list[str] = []
        self.error: OSError | None = None
        self.calls = 0

    def send(self, data: Any) -> int:
        self.calls += 1
        if self.error is not None:
            raise self.error
        if not self.room:
            raise BlockingIOError(errno.EAGAIN, "full")
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.peer.arrived.append(taken)
        return len(taken)

    def recv_into(self, buffer: memoryview) -> int:
        self.calls += 1
        if not self.arrived:
            if self.error is not None:
                raise self.error
            if self.peer.ends:
                return 0
            raise BlockingIOError(errno.EAGAIN, "nothing")
        data = self.arrived.popleft()
        if len(data) > len(buffer):
            self.arrived.appendleft(data[len(buffer) :])
            data = data[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_WR
        self.ends.append("shut")

    def close(self) -> None:
        self.ends.append("closed")


def awake() -> None:
    """What wakes the waits of an object."""


def layers(version: ssl.TLSVersion, **settings: Any) -> tuple[TlsLayer, TlsLayer]:
    """A client and a server, of which none has begun."""
    below = Buffered(), Buffered()
    below[0].peer, below[1].peer = below[1], below[0]
    made = []
    for sock, is_server in zip(below, (False, True), strict=True):
        context = server_context(version) if is_server else client_context(version=version)
        made.append(
            TlsLayer(
                sock,  # type: ignore[arg-type]
                context, server_side=is_server, server_hostname=None if is_server else "localhost", session=None,
                wake=lambda: awake,  # type: ignore[arg-type]
                **{"received": b"", "requires_close_notify": True, **settings},
            )
        )  # fmt: skip
    return made[0], made[1]


def shaken(version: ssl.TLSVersion, **settings: Any) -> tuple[TlsLayer, TlsLayer]:
    """A client and a server behind their handshake."""
    client, server = layers(version, **settings)
    for _ in range(6):
        for each in (client, server):
            try:
                each.handshake()
            except BlockingIOError:
                assert each._unsent is None  # it waits for the other side
    assert client.details.version == server.details.version
    return client, server


def below(layer: TlsLayer) -> Any:
    return layer.below


def everything(layer: TlsLayer, size: int = 1 << 20) -> bytes:
    """All that has arrived, or up to the end."""
    found = b""
    while True:
        try:
            part = layer.recv(size)
        except BlockingIOError:
            return found
        if not part:
            return found
        assert len(part) <= min(size, RECORD)
        found += part


@VERSIONS
@settings(max_examples=part(100, 12))
@given(
    actions=st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.booleans(), st.integers(0, 4000), st.integers(0, 3000)),
        max_size=12,
    )
)  # fmt: skip
def test_what_is_sent_comes_in_order(version: ssl.TLSVersion, actions: list[tuple[str, bool, int, int]]) -> None:
    """Both ways at once, through little room, in any pieces; a send that could not go out says so, and goes out later."""
    pair = shaken(version)
    sent, came = [b"", b""], [b"", b""]
    for name, side, size, room in actions:
        layer, other = pair[side], pair[not side]
        below(layer).room = room
        if name == "send":
            data = bytes((len(sent[side]) + number) % 251 for number in range(size))
            try:
                count = layer.send(data)
            except NoRoom:
                continue  # what was committed before has not gone yet
            is_left = count < 0
            count = ~count if is_left else count
            assert count == size
            assert is_left == (layer._unsent is not None)
            sent[side] += data
        elif name == "flush":
            try:
                layer.flush()
                assert layer._unsent is None
            except NoRoom:
                assert layer._unsent is not None
        else:
            flags = socket.MSG_PEEK if name == "peek" else 0
            try:
                part = layer.recv(size, flags)
            except BlockingIOError:
                continue
            assert len(part) <= size
            came[side] += b"" if flags else part
            assert sent[not side][len(came[side]) - (0 if flags else len(part)) :].startswith(part)
        assert other._error is None
    for layer in pair:
        below(layer).room = 1 << 30
        layer.flush()
    for side, layer in enumerate(pair):
        assert came[side] + everything(layer) == sent[not side]


@VERSIONS
def test_large_data_goes_in_pieces(version: ssl.TLSVersion) -> None:
    """One send takes PIECE bytes at most, of bytes and of other buffers; one receive gives a record."""
    client, server = shaken(version)
    data = bytes(range(256)) * 600
    assert PIECE == 1 << 16
    for buffer in (data, bytearray(data), memoryview(data).cast("I")):
        assert client.send(buffer) == PIECE
        assert server.recv(1 << 20) == data[:RECORD]
        assert server.buffered in range(2 * RECORD, PIECE - RECORD + 1)  # in TLS 1.2 the last record was not taken whole
        assert server.recv(10) == data[RECORD : RECORD + 10]
        assert everything(server, 5000) == data[RECORD + 10 : PIECE]
    assert client.commit(memoryview(data)) == PIECE
    assert (client.send(b""), everything(server)) == (0, data[:PIECE])
    assert client.send(data[:PIECE]) == PIECE
    assert everything(server) == data[:PIECE]


@VERSIONS
def test_a_receive_takes_no_more_than_it_needs(version: ssl.TLSVersion) -> None:
    """The system is asked once for what has arrived, and not again while there is plain text; drained is what it says."""
    client, server = shaken(version)
    assert not server.is_drained or not below(server).arrived
    client.send(b"a" * 100)
    calls = below(server).calls
    assert server.recv(60) == b"a" * 60
    assert below(server).calls == calls + 1
    assert not server.is_drained
    assert server.recv(60) == b"a" * 40
    assert below(server).calls == calls + 1
    assert server.is_drained
    with pytest.raises(BlockingIOError):
        server.recv(1)
    assert below(server).calls == calls + 2
    client.send(b"b" * (TAKE // 2))
    client.send(b"c" * TAKE)
    assert server.recv(1) == b"b"


@VERSIONS
def test_sizes_and_flags_of_a_receive(version: ssl.TLSVersion) -> None:
    """No bytes are b"", a negative size is a ValueError, and flags but MSG_PEEK have no meaning; a peek takes nothing."""
    client, server = shaken(version)
    client.send(b"hello")
    assert server.recv(0) == server.recv(0, socket.MSG_PEEK) == b""
    for flags in (0, socket.MSG_PEEK):
        with pytest.raises(ValueError, match="negative size in receive"):
            server.recv(-1, flags)
    for flags in (socket.MSG_OOB, socket.MSG_PEEK | socket.MSG_OOB):
        with pytest.raises(OSError, match=r"(?i)not supported"):
            server.recv(5, flags)
    assert [server.recv(size, socket.MSG_PEEK) for size in (2, 9, 3)] == [b"he", b"he", b"he"]
    assert [server.recv(size) for size in (1, 1, 9)] == [b"h", b"e", b"llo"]
    client.send(b"again")
    assert (server.recv(9, socket.MSG_PEEK), server.buffered, server.has_come) == (b"again", 5, True)
    assert (server.recv(9), server.buffered, server.has_come) == (b"again", 0, False)


@VERSIONS
@pytest.mark.parametrize("requires", [True, False])
def test_each_end_is_known(version: ssl.TLSVersion, requires: bool) -> None:
    """close_notify is the end; an end without it is an error where it is required, and else an end like any other."""
    client, server = shaken(version, requires_close_notify=requires)
    client.send(b"last")
    client.shutdown(socket.SHUT_WR)
    client.shutdown(socket.SHUT_WR)
    assert [server.recv(9), server.recv(9), server.recv(9)] == [b"last", b"", b""]
    assert server.has_come
    server.send(b"answer")
    assert client.recv(9) == b"answer"
    below(server).ends.append("cut")
    if requires:
        for _ in range(2):
            with pytest.raises(StreamTruncated):
                client.recv(9)
        with pytest.raises(StreamTruncated):
            client.send(b"x")
    else:
        assert [client.recv(9), client.recv(9)] == [b"", b""]
    assert client.has_come


@VERSIONS
def test_a_close_sends_the_end(version: ssl.TLSVersion) -> None:
    """A close sends close_notify and the end of the connection, unless what was sent is incomplete, or TLS has not begun."""
    client, server = shaken(version)
    client.close()
    assert (below(client).ends, server.recv(1)) == (["shut", "closed"], b"")
    client, server = shaken(version)
    client.abandon()
    client.close()
    assert below(client).ends == ["closed"]
    with pytest.raises(StreamTruncated):
        server.recv(1)
    server.close()
    assert below(server).ends == ["closed"]
    client, _ = layers(version)
    client.close()
    assert below(client).ends == ["closed"]


@VERSIONS
def test_an_error_of_the_system_is_kept(version: ssl.TLSVersion) -> None:
    """What arrived before is received, and then the same error is raised by every call."""
    client, server = shaken(version)
    client.send(b"before")
    below(server).error = ConnectionResetError(errno.ECONNRESET, "reset")
    with pytest.raises(ConnectionResetError):
        server.send(b"x")
    assert server.recv(99) == b"before"
    for call in (
        lambda: server.recv(1),
        lambda: server.send(b""),
        server.flush,
        lambda: server.shutdown(1),
        lambda: server.recv(1),
    ):
        with pytest.raises(ConnectionResetError, match="reset"):
            call()
    assert server.has_come


@VERSIONS
def test_damaged_ciphertext_is_an_error(version: ssl.TLSVersion) -> None:
    """It is raised again and again, the peer gets an alert, and nothing more is sent."""
    client, server = shaken(version)
    server.send(b"first")
    assert client.recv(99) == b"first"
    client.send(b"data")
    data = bytearray(below(server).arrived[-1])
    data[-1] ^= 1
    below(server).arrived[-1] = bytes(data)
    for _ in range(2):
        with pytest.raises(ConnectionAbortedError, match="TLS: "):
            server.recv(1)
    with pytest.raises(ConnectionAbortedError):
        server.send(b"x")
    with pytest.raises(ConnectionAbortedError, match="ALERT"):
        client.recv(1)


@VERSIONS
def test_a_handshake_that_ends_or_is_refused(version: ssl.TLSVersion) -> None:
    """The end of the connection, something that is not TLS and another authority each have their error, and data is refused."""
    client, server = layers(version)
    for layer in (client, server):
        with pytest.raises(OSError, match="a TLS handshake is under way on this object"):
            layer.send(b"x")
        with pytest.raises(OSError, match="a TLS handshake is under way on this object"):
            layer.recv(1)
    with pytest.raises(BlockingIOError):
        client.handshake()
    below(server).ends.append("cut")
    for _ in range(2):
        with pytest.raises(ConnectionResetError, match="the peer has ended the connection during the TLS handshake"):
            client.handshake()
    client, server = layers(version, received=b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(HandshakeRefused):
        server.handshake()
    client, server = layers(version)
    below(client).room = 10
    for _ in range(2):
        with pytest.raises(NoRoom):
            client.handshake()
    below(client).room = 1 << 30
    with pytest.raises(BlockingIOError) as waits:
        client.handshake()
    assert not isinstance(waits.value, NoRoom)
    with pytest.raises(BlockingIOError):
        server.handshake()


@VERSIONS
def test_what_came_before_the_handshake_belongs_to_it(version: ssl.TLSVersion) -> None:
    """The first bytes of the peer's handshake may have been received; what is behind the end of TLS is left over."""
    client, server = layers(version)
    with pytest.raises(BlockingIOError):
        client.handshake()
    first = below(server).arrived.popleft()
    _, other = layers(version, received=first[:50])
    other.below.arrived.append(first[50:])  # type: ignore[attr-defined]
    with pytest.raises(BlockingIOError):
        other.handshake()
    assert below(other).peer.arrived  # its answer
    client, server = shaken(version)
    client.shutdown(socket.SHUT_WR)
    below(server).arrived.append(b"plain text")
    assert server.recv(1) == b""
    assert server.left_over() in (b"", b"plain text")
