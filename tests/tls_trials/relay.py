"""A conversation over TLS through a relay that sees records, and cuts, stops or damages what passes at a given place."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from lifecycle import Accepted, Client, HandshakeRefused, Server, StreamTruncated
from lifecycle.conformance.adapters.certificates import client_context, server_context

HOST = "127.0.0.1"
QUESTION, ANSWER = b"question " * 10, b"answer " * 10
HEADER = 5
"""bytes of a record before its body: type, version, length"""

WAYS = ("fin", "reset", "stop", "flip")
"""what happens to a connection at the place: both ends get a FIN, or a reset; nothing more passes; a bit changes on its way"""

OUTCOMES: dict[type[Exception | None], frozenset[str]] = {
    type(None): frozenset({"secured_ended"}),
    StreamTruncated: frozenset({"truncated"}),
    TimeoutError: frozenset({"handshaking", "secured", "secured_send_shut", "secured_peer_closed"}),
    **dict.fromkeys((HandshakeRefused, ConnectionResetError, ConnectionAbortedError, BrokenPipeError), frozenset({"broken"})),
}
"""how an end may end -> the state that the table has for it"""


@dataclass(frozen=True)
class Fault:
    """way: one of WAYS. direction: 0 for what the client sends, 1 for the server. record: which of them. offset: in it."""

    way: str
    direction: int
    record: int
    offset: int


@dataclass
class End:
    """How one end ended."""

    error: Exception | None
    state: str

    @property
    def is_right(self) -> bool:
        """One error that users get, and the state that belongs to it."""
        kind = TimeoutError if isinstance(self.error, TimeoutError) else type(self.error)
        return self.state in OUTCOMES.get(kind, ())


@dataclass
class Seen:
    """What a conversation was: both ends, and the records that the relay has seen, by direction."""

    client: End
    accepted: End
    records: tuple[list[bytes], list[bytes]]
    fault: Fault | None

    @property
    def wrong(self) -> str:
        """What is not as it should be, or ""."""
        for name, end in (("client", self.client), ("accepted", self.accepted)):
            if not end.is_right:
                return f"the {name} is {end.state!r} after {end.error!r}"
        fault = self.fault
        if fault is None or fault.way != "flip":  # a flipped bit may be one that does not matter, as of the version in a header
            errors = (self.accepted.error, self.client.error)
            if any(errors) if fault is None else errors[fault.direction] is None:
                return f"who should have received the record has {errors}"
        passed = b"".join(b"".join(each) for each in self.records)
        return "plain text was sent" if QUESTION[:8] in passed or ANSWER[:8] in passed else ""


class Relay(threading.Thread):
    """Passes records between two sockets until both have ended, or until stop()."""

    def __init__(self, client: socket.socket, server: socket.socket, fault: Fault | None) -> None:
        super().__init__(daemon=True)
        self._ends = (client, server)
        for end in self._ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._fault = fault
        self._rest = [bytearray(), bytearray()]
        self._stop_reader, self._stop_writer = socket.socketpair()
        self.records: tuple[list[bytes], list[bytes]] = ([], [])

    def run(self) -> None:
        open_ends = set(self._ends)
        with suppress(OSError):
            while open_ends:
                readable, _, _ = select.select([*open_ends, self._stop_reader], [], [])
                if self._stop_reader in readable:
                    return
                for end in readable:
                    direction = self._ends.index(end)
                    data = end.recv(65536)
                    if not data:
                        open_ends.discard(end)
                        self._ends[1 - direction].shutdown(socket.SHUT_WR)
                    elif not self._pass_on(direction, data):
                        return

    def stop(self) -> None:
        """Pass nothing more, and close both connections."""
        self._stop_writer.send(b"x")
        self.join()
        for each in (*self._ends, self._stop_reader, self._stop_writer):
            each.close()

    def _pass_on(self, direction: int, data: bytes) -> bool:
        rest = self._rest[direction]
        rest += data
        while len(rest) >= HEADER and len(rest) >= (whole := HEADER + int.from_bytes(rest[3:5], "big")):
            record = bytes(rest[:whole])
            del rest[:whole]
            records = self.records[direction]
            records.append(record)
            fault = self._fault
            if fault is not None and fault.direction == direction and fault.record == len(records) - 1:
                if not self._break(fault, record):
                    return False
            else:
                self._ends[1 - direction].sendall(record)
        return True

    def _break(self, fault: Fault, record: bytes) -> bool:
        """Do what the fault says; whether the conversation goes on."""
        to = self._ends[1 - fault.direction]
        if fault.way == "flip":
            damaged = bytearray(record)
            damaged[min(fault.offset, len(record) - 1)] ^= 1
            to.sendall(damaged)
            return True
        to.sendall(record[: fault.offset])
        if fault.way == "fin":
            for end in self._ends:
                end.shutdown(socket.SHUT_WR)
        elif fault.way == "reset":
            for end in self._ends:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()
        return False


def converse(version: ssl.TLSVersion, fault: Fault | None = None, *, timeout: float) -> Seen:
    """One conversation: a question, the client's close_notify, an answer, the server's close_notify."""
    with _relayed(fault, timeout) as (client, accepted, relay):
        ends: list[End] = []
        serving = threading.Thread(target=lambda: ends.append(_outcome(accepted, _answer, server_context(version))))
        serving.start()
        asked = _outcome(client, _ask, client_context(version, checks_name=True))
        client.close()
        serving.join()
        return Seen(asked, ends[0], relay.records, fault)


def faults(whole: Seen, way: str, offsets: Callable[[int], Iterable[int]]) -> Iterator[Fault]:
    """Faults in every record of a conversation. offsets: the length of a record -> where in it."""
    for direction, records in enumerate(whole.records):
        for number, record in enumerate(records):
            for offset in offsets(len(record)):
                yield Fault(way, direction, number, offset)


@contextmanager
def _relayed(fault: Fault | None, timeout: float) -> Iterator[tuple[Client, Accepted, Relay]]:
    with socket.create_server((HOST, 0)) as between, Server(timeout=timeout) as server, Client(timeout=timeout) as client:
        server.create(0, HOST)
        server.listen()
        client.create(0, HOST)
        client.connect(*between.getsockname())
        relay = Relay(between.accept()[0], socket.create_connection(server.get_sock_name()), fault)
        with server.accept() as accepted:
            for end in (client, accepted):
                end.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            relay.start()
            try:
                yield client, accepted, relay
            finally:
                relay.stop()


def _outcome(end: Any, talk: Callable[[Any, ssl.SSLContext], None], context: ssl.SSLContext) -> End:
    error = None
    try:
        talk(end, context)
    except Exception as caught:  # whatever it is: is_right says whether it may be
        error = caught.with_traceback(None)
    state = end.state
    if state != "secured_ended":
        end.close()  # or the other end would wait for it as long as the relay passes things on
    return End(error, state)


def _ask(client: Client, context: ssl.SSLContext) -> None:
    client.start_tls(context, server_hostname="localhost")
    client.send(QUESTION)
    client.shut_down("sends")
    assert b"".join(iter(client.receive, b"")) == ANSWER


def _answer(accepted: Accepted, context: ssl.SSLContext) -> None:
    accepted.start_tls(context)
    assert b"".join(iter(accepted.receive, b"")) == QUESTION
    accepted.send(ANSWER)
    accepted.shut_down("sends")
