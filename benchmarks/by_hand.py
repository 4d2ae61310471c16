"""The Hypothesis machine that one would write for a client by hand, with which `conformance` compares the derived one.

Its rules have the names of the derived machine's, by which Hypothesis draws them, and make the same calls on real sockets, in
plain text and over TLS. In each example the client begins in one of the role's states; after close() or detach() another client
does, in one without TLS. After each call this is checked: it was refused where it is illegal and nowhere else; the state is one
to which that call can lead; which calls are legal now; what was received is what the peer has sent, and all was sent.

The derived machine checks more: the one outcome that the call must have, its value, and which handle a call has taken. It goes
on to the cells that were reached least, and counts them. Neither waits for anything but the other end.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from benchmarks.tls_peer import Peer
from lifecycle import CLIENT, Client, IllegalCall, SocketFile
from lifecycle.conformance.adapters.certificates import client_context

HOST = "127.0.0.1"
MESSAGE = b"message"
NO_TLS = b"no TLS here\n"
PATIENCE = 1.0
"""Seconds, which no step takes"""

LEGAL = {state.name: CLIENT.legal(state.name) for state in CLIENT.states}
"""state -> the calls; one would write this down, and also the next"""
AFTER = {state: {call: frozenset(row.values()) for call, row in rows.items()} for state, rows in CLIENT.table.items()}

PLAIN_STARTS = {
    "open": "starts_open",
    "bound": "starts_bound",
    "connecting": "starts_open seeks",
    "connected": "starts_open joins",
    "send_shut": "starts_open joins ends_sends",
    "receive_shut": "starts_open joins ends_receives",
    "shut": "starts_open joins ends_both",
    "peer_closed": "starts_open joins peer_ends takes",
    "ended": "starts_open joins peer_ends takes ends_sends",
    "broken": "starts_open joins peer_resets takes",
}
"""state -> the steps that bring a new client there"""

STARTS = {
    "empty": "",
    **PLAIN_STARTS,
    "handshaking": "starts_open joins start_tls",
    "secured": "starts_open joins peer_begins_tls start_tls",
    "secured_send_shut": "starts_open joins peer_begins_tls start_tls ends_sends",
    "secured_peer_closed": "starts_open joins peer_begins_tls start_tls peer_notifies takes",
    "secured_ended": "starts_open joins peer_begins_tls start_tls peer_notifies takes ends_sends",
    "truncated": "starts_open joins peer_begins_tls start_tls peer_cuts takes",
}


class Driven(Client):
    """A client whose peer goes on while it waits."""

    peer: Peer | None = None

    def on_message_pending(self) -> None:
        """Let the peer take part in the handshake."""
        if self.peer is not None:
            self.peer.go_on()


class ByHand(RuleBasedStateMachine):
    """Calls a client in any order; what is out of order must be refused and change nothing."""

    listener: socket.socket

    def __init__(self) -> None:
        super().__init__()
        self.client = Driven(timeout=0)
        self.again = ""

    @property
    def peer(self) -> Peer | None:
        """The other end, where there is one that was not reset."""
        peer = self.client.peer
        return None if peer is None or peer.sock.fileno() == -1 else peer

    @initialize(number=st.integers(0, 2**64 - 1))
    def begin(self, number: int) -> None:
        """Begin in the state of that number, and begin again in another one: Hypothesis would draw the first of a list most."""
        again, first = divmod(number, len(STARTS))
        self.again = [*PLAIN_STARTS][again % len(PLAIN_STARTS)]
        self.arrange([*STARTS][first])

    def arrange(self, start: str) -> None:
        """Bring a new client to a state."""
        self.arrived = b""
        self.has_ended = self.was_sent = False
        for step in STARTS[start].split():
            getattr(self, step)()
        assert self.client.state == start

    def call(self, name: str, *arguments: Any, by: Callable[..., Any] | None = None, **keywords: Any) -> Any:
        """Make a call, and check how it ends; its result or its error."""
        if self.client.state == "closed":
            self.release()
            self.client = Driven(timeout=0)
            self.arrange(self.again)
        client = self.client
        state = client.state
        try:
            result = (by or getattr(client, name))(*arguments, **keywords)
        except IllegalCall as refusal:
            assert name not in LEGAL[state]
            assert client.state == state
            return refusal
        except OSError as error:
            result = error
        assert client.state in AFTER[state][name]
        return result

    def came(self, size: int, got: Any) -> None:
        """What was received is what the peer has sent."""
        if isinstance(got, BlockingIOError):
            assert not self.arrived
        elif isinstance(got, bytes):
            assert got == self.arrived[:size]
            assert got or self.has_ended
            self.arrived = self.arrived[size:]

    def went(self, data: bytes, sent: Any) -> None:
        """All of the data was sent."""
        if isinstance(sent, int):
            assert sent == len(data)
            self.was_sent = True

    def patience(self) -> float:
        """A handshake waits where the peer takes part in it."""
        return PATIENCE if self.peer is not None and self.peer.tls is not None else 0

    # -- where a client begins --------------------------------------------------------------------------------------------

    def starts_open(self) -> None:
        self.client.open()

    def starts_bound(self) -> None:
        self.client.create(0, HOST)

    def seeks(self) -> None:
        with suppress(BlockingIOError):
            self.client.connect(*self.listener.getsockname())
        self.client.peer = Peer(self.listener.accept()[0])

    def joins(self) -> None:
        self.client.connect(*self.listener.getsockname(), timeout=PATIENCE)
        self.client.peer = Peer(self.listener.accept()[0])

    def ends_sends(self) -> None:
        self.client.shut_down("sends")

    def ends_receives(self) -> None:
        self.client.shut_down("receives")

    def ends_both(self) -> None:
        self.client.shut_down("both")

    def takes(self) -> None:
        with suppress(OSError):
            self.client.receive()

    # -- the rules --------------------------------------------------------------------------------------------------------

    @rule()
    def accept(self) -> None:
        self.call("accept")

    @rule()
    def attach(self) -> None:
        handle = socket.socket()
        if self.client.state == "empty":
            handle.connect(self.listener.getsockname())
            self.client.peer = Peer(self.listener.accept()[0])
        self.call("attach", handle)
        handle.close()

    @rule()
    def bind(self) -> None:
        self.call("bind", 0, HOST)

    @rule()
    def close(self) -> None:
        self.call("close")

    @rule(listens=st.booleans())
    def connect(self, listens: bool) -> None:
        address = self.listener.getsockname() if listens else (HOST, 1)
        if not isinstance(self.call("connect", *address), IllegalCall) and listens:
            self.client.peer = Peer(self.listener.accept()[0])

    @rule()
    def create(self) -> None:
        self.call("create", 0, HOST)

    @rule()
    def detach(self) -> None:
        number = self.call("detach")
        if isinstance(number, int):
            os.close(number)

    @rule()
    def finish_connect(self) -> None:
        self.call("finish_connect")

    @rule()
    def finish_tls(self) -> None:
        self.call("finish_tls", timeout=self.patience())

    @rule()
    def get_peer_name(self) -> None:
        self.call("get_peer_name")

    @rule(option=st.sampled_from([socket.SO_RCVBUF, 9999]))
    def get_option(self, option: int) -> None:
        self.call("get_option", option)

    @rule()
    def get_sock_name(self) -> None:
        self.call("get_sock_name")

    @rule()
    def get_tls(self) -> None:
        self.call("get_tls")

    @rule()
    def io_ctl(self) -> None:
        self.call("io_ctl")

    @rule()
    def listen(self) -> None:
        self.call("listen")

    @rule()
    def open(self) -> None:
        self.call("open")

    @rule(size=st.integers(len(MESSAGE), 65536))
    def receive(self, size: int) -> None:
        self.came(size, self.call("receive", size))

    @rule(size=st.integers(len(MESSAGE), 65536))
    def receive_from(self, size: int) -> None:
        got = self.call("receive_from", size)
        self.came(size, got[0] if isinstance(got, tuple) else got)

    @rule()
    def receive_handles(self) -> None:
        self.call("receive_handles")

    @rule(data=st.binary(min_size=1, max_size=64))
    def send(self, data: bytes) -> None:
        self.went(data, self.call("send", data))

    @rule()
    def send_handles(self) -> None:
        self.call("send_handles", MESSAGE, ())

    @rule()
    def send_to(self) -> None:
        self.went(MESSAGE, self.call("send_to", MESSAGE))

    @rule()
    def set_option(self) -> None:
        self.call("set_option", socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)

    @rule(how=st.sampled_from(["sends", "receives", "both"]))
    def shut_down(self, how: str) -> None:
        with suppress(ValueError):  # over TLS there is no message for the others
            self.call("shut_down", how)

    @rule()
    def socket_file(self) -> None:
        self.call("socket_file", by=lambda: SocketFile(self.client).close())

    @rule()
    def start_tls(self) -> None:
        self.call("start_tls", client_context(), timeout=self.patience())

    @rule()
    def stop_tls(self) -> None:
        self.call("stop_tls")

    # -- what the peer does -----------------------------------------------------------------------------------------------

    @rule()
    def peer_begins_tls(self) -> None:
        peer = self.idle_peer("connected", "handshaking")
        if peer is not None and peer.tls is None and not self.was_sent:
            peer.begin_tls()

    @rule()
    def peer_cuts(self) -> None:
        peer = self.idle_peer("secured", "secured_send_shut")
        if peer is not None:
            peer.end()
            self.ends()

    @rule()
    def peer_ends(self) -> None:
        peer = self.idle_peer("connected", "send_shut")
        if peer is not None:
            peer.end()
            self.ends()

    @rule()
    def peer_notifies(self) -> None:
        peer = self.idle_peer("secured", "secured_send_shut")
        if peer is not None:
            peer.notify()
            self.ends()

    @rule()
    def peer_reads(self) -> None:
        if self.was_sent and self.peer is not None:
            self.peer.receive()
            self.was_sent = False

    @rule()
    def peer_reads_the_end(self) -> None:
        if self.client.state in ("send_shut", "ended", "shut", "secured_send_shut") and self.peer is not None:
            self.peer.receive()
            self.was_sent = False

    @rule()
    def peer_refuses_tls(self) -> None:
        peer = self.idle_peer("connected", "handshaking")
        if peer is not None and peer.tls is None and not self.was_sent:
            peer.send(NO_TLS)
            self.comes(NO_TLS)

    @rule()
    def peer_resets(self) -> None:
        if self.peer is not None and self.client.state not in ("ended", "closed"):
            self.peer.reset()
            self.comes()

    @rule()
    def peer_sends(self) -> None:
        peer = self.idle_peer("connected", "send_shut", "secured", "secured_send_shut")
        if peer is not None and peer.can_send():
            peer.send(MESSAGE)
            self.comes(MESSAGE)

    def idle_peer(self, *states: str) -> Peer | None:
        """The peer, if the client is in one of these states, and nothing that the peer has done was left to receive."""
        return self.peer if self.client.state in states and not self.arrived and not self.has_ended else None

    def ends(self) -> None:
        """The peer sends no more."""
        self.has_ended = True
        self.comes()

    def comes(self, data: bytes = b"") -> None:
        """Wait until what the peer has done is there: data that it has sent, or an end."""
        self.arrived = data or self.arrived
        if self.client.fileno() != -1:
            select.select([self.client], [], [], PATIENCE)

    # -- and always -------------------------------------------------------------------------------------------------------

    @invariant()
    def tells_what_is_legal(self) -> None:
        """The calls that are legal in its state, and no others."""
        assert self.client.legal == LEGAL[self.client.state]

    def teardown(self) -> None:
        """Close both ends."""
        self.release()

    def release(self) -> None:
        """Close the client, and its peer by a reset."""
        if self.client.peer is not None:
            self.client.peer.reset()
        self.client.close()


def machine() -> type[ByHand]:
    """The machine, with a listener, which is its owner's to close."""
    return type("ByHandMachine", (ByHand,), {"listener": socket.create_server((HOST, 0))})


def names_of_rules(machine: type[ByHand]) -> set[str]:
    """What the rules of the machine are called."""
    made = machine()
    try:
        return {each.function.__name__ for each in made.rules}
    finally:
        made.teardown()
