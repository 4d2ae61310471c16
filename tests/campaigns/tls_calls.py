"""The calls over TLS that campaigns try, and their peer: a thread, which is not traced."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

from lifecycle import Client
from lifecycle.conformance.adapters.certificates import client_context, server_context

from .blocking_calls import Case, connected

PATIENCE = 5.0
DATA = bytes(range(256)) * 300  # more than one piece of TLS


def echo_over_tls(stack: ExitStack, peer: socket.socket) -> None:
    """Make the server's handshake, send everything back, end TLS when the client does, and go on in plain text."""

    def run() -> None:
        with suppress(OSError, ValueError):
            peer.settimeout(PATIENCE)
            with server_context().wrap_socket(peer, server_side=True, suppress_ragged_eofs=False) as secured:
                for data in iter(lambda: secured.recv(1 << 16), b""):
                    secured.sendall(data)
                plain = secured.unwrap()
                for data in iter(lambda: plain.recv(1 << 16), b""):
                    plain.sendall(data)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stack.callback(thread.join, PATIENCE)


SECURE: dict[str, Any] = {"server_hostname": "localhost"}


def echoed(client: Client, before: int) -> Iterator[str]:
    """Whether what was sent, `before` bytes of DATA and a word, comes back."""
    client.send(b"word")
    wanted, got = DATA[:before] + b"word", b""
    while len(got) < len(wanted) and (part := client.receive()):
        got += part
    if got != wanted:
        yield f"{len(got)} other bytes came back than the {len(wanted)} that were sent, as its error says"


def tls_faults(done: Case) -> Iterator[str]:
    """Whether the state is true: the peer understands what it lets one do. The blocking twin of the object does it."""
    (client,) = done.objects
    state = client.state
    if state in ("broken", "closed"):
        return
    try:
        if isinstance(client, Client):
            client.timeout = PATIENCE
            yield from _goes_on(client, done)
    except OSError as error:
        yield f"the object says {state}, and then: {error!r}"


def _goes_on(client: Client, done: Case) -> Iterator[str]:
    taken = done.results[0] if done.results and isinstance(done.results[0], int) else done.sent or 0
    if client.state == "handshaking":
        client.finish_tls()
    if client.state == "connected" and done.given:  # TLS was not begun
        client.start_tls(client_context(), **SECURE)
    done.given.clear()
    if client.state == "secured_send_shut":
        client.receive(0)
        while client.receive():
            pass
    if client.state == "secured_ended":
        client.stop_tls()
    if client.is_legal("send") and done.results[:1] != [b""]:
        yield from echoed(client, taken)


def secured(stack: ExitStack, engine: str) -> Client:
    client, peer = connected(stack, engine)
    echo_over_tls(stack, peer)
    client.start_tls(client_context(), **SECURE)
    return client


def _blocking(prepare: Callable[[Client], object], call: Callable[[Client], Any], *, begun: bool = True) -> Any:
    def make(stack: ExitStack, engine: str) -> Case:
        if begun:
            client = secured(stack, engine)
        else:
            client, peer = connected(stack, engine)
            echo_over_tls(stack, peer)
        prepare(client)
        return Case(lambda: call(client), (client,), stack, given=[] if begun else [client.fileno()], check=tls_faults)

    return make


def _ends(client: Client) -> None:
    client.shut_down()
    while client.receive():
        pass


def _begins(client: Client) -> None:
    client.timeout = 0
    with suppress(BlockingIOError):
        client.start_tls(client_context(), **SECURE)
    client.timeout = PATIENCE


def _asks(client: Client) -> None:
    client.send(b"")


TLS: dict[str, Any] = {
    "tls_start": _blocking(_asks, lambda client: client.start_tls(client_context(), **SECURE), begun=False),
    "tls_finish": _blocking(_begins, lambda client: client.is_legal("finish_tls") and client.finish_tls(), begun=False),
    "tls_send": _blocking(_asks, lambda client: client.send(DATA[:10])),
    "tls_send_much": _blocking(_asks, lambda client: client.send(DATA)),
    "tls_shut_down": _blocking(_asks, lambda client: client.shut_down()),
    "tls_stop": _blocking(_ends, lambda client: client.stop_tls()),
    "tls_close": _blocking(_asks, lambda client: client.close()),
}
