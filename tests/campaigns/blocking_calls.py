"""The blocking calls that campaigns try, each with the objects whose states it may change and what must be true of it."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifecycle import Accepted, Client, Datagram, Server
from lifecycle.net.os_socket import OsSocket

HOST = "127.0.0.1"


@dataclass
class Case:
    """One call, and the objects whose states it may change. given: descriptors that the call may not close."""

    call: Callable[[], Any]
    objects: tuple[OsSocket, ...]
    stack: ExitStack
    given: list[int] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    check: Callable[[Case], Iterator[str]] | None = None
    """More that must be true afterwards"""
    sent: int | None = None
    """What the exception that has ended the call says of it"""

    def run(self) -> None:
        """Make the call; what it gives is kept, as a program would."""
        self.results.append(self.call())


Make = Callable[[ExitStack, str], Case]
CASES: dict[str, Make] = {}


def case(make: Make) -> Make:
    CASES[make.__name__.strip("_")] = make
    return make


def made(stack: ExitStack, kind: type[Any], engine: str, *, timeout: float | None = 5) -> Any:
    sock = kind(timeout=timeout, engine=engine)
    stack.callback(sock.close)
    return sock


def listener(stack: ExitStack) -> socket.socket:
    sock = stack.enter_context(socket.socket())
    sock.bind((HOST, 0))
    sock.listen()
    return sock


def connected(stack: ExitStack, engine: str) -> tuple[Client, socket.socket]:
    client = made(stack, Client, engine)
    listening = listener(stack)
    client.create(0, HOST)
    client.connect(*listening.getsockname())
    peer = stack.enter_context(listening.accept()[0])
    return client, peer


@case
def create(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Client, engine)
    return Case(lambda: sock.create(0, HOST), (sock,), stack)


@case
def create_server(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Server, engine)
    return Case(lambda: sock.create(0), (sock,), stack)


@case
def open_(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Datagram, engine)
    return Case(sock.open, (sock,), stack)


@case
def bind(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Client, engine)
    sock.open()
    return Case(lambda: sock.bind(0, HOST), (sock,), stack)


@case
def listen(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Server, engine)
    sock.create(0, HOST)
    return Case(sock.listen, (sock,), stack)


@case
def accept(stack: ExitStack, engine: str) -> Case:
    server, target = made(stack, Server, engine), made(stack, Accepted, engine)
    server.create(0, HOST)
    server.listen()
    stack.enter_context(socket.create_connection(server.local_address))
    return Case(lambda: server.accept(target), (server, target), stack)


@case
def accept_new(stack: ExitStack, engine: str) -> Case:
    server = made(stack, Server, engine)
    server.create(0, HOST)
    server.listen()
    stack.enter_context(socket.create_connection(server.local_address))
    return Case(server.accept, (server,), stack)


@case
def connect(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine)
    client.create(0, HOST)
    address = listener(stack).getsockname()
    return Case(lambda: client.connect(*address), (client,), stack)


@case
def connect_refused(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine)
    client.create(0, HOST)
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        port = unused.getsockname()[1]

    def call() -> None:
        with suppress(ConnectionRefusedError):
            client.connect(HOST, port)

    return Case(call, (client,), stack)


@case
def finish_connect(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine, timeout=0)
    client.open()
    listening = stack.enter_context(socket.socket())
    listening.bind((HOST, 0))
    listening.listen(0)
    crowd = [stack.enter_context(socket.socket()) for _ in range(2)]
    for each in crowd:
        each.setblocking(False)
        each.connect_ex(listening.getsockname())
    with suppress(BlockingIOError):
        client.connect(*listening.getsockname())
    listening.listen(8)
    for _ in range(2):
        stack.enter_context(listening.accept()[0])
    client.timeout = 5
    return Case(client.finish_connect, (client,), stack)


@case
def set_peer(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine)
    datagram.open()
    return Case(lambda: datagram.connect(HOST, 9), (datagram,), stack)


@case
def disconnect(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine)
    datagram.create(0, HOST)
    datagram.connect(HOST, 9)
    return Case(datagram.disconnect, (datagram,), stack)


@case
def first_send_to(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine)
    datagram.open()
    return Case(lambda: datagram.send_to(b"x", HOST, 9), (datagram,), stack)


def _shut_down(how: Any) -> Make:
    def make(stack: ExitStack, engine: str) -> Case:
        client, _ = connected(stack, engine)
        return Case(lambda: client.shut_down(how), (client,), stack)

    return make


def _shut_down_datagram(how: Any) -> Make:
    def make(stack: ExitStack, engine: str) -> Case:
        datagram = made(stack, Datagram, engine)
        datagram.create(0, HOST)
        datagram.connect(HOST, 9)
        return Case(lambda: datagram.shut_down(how), (datagram,), stack)

    return make


for _how in ("sends", "receives", "both"):
    CASES[f"shut_down_{_how}"] = _shut_down(_how)
    CASES[f"shut_down_datagram_{_how}"] = _shut_down_datagram(_how)


@case
def attach_number(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine)
    given = socket.create_connection(listener(stack).getsockname()).detach()
    stack.callback(lambda: _close(given))
    return Case(lambda: client.attach(given), (client,), stack, [given])


@case
def attach_socket(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine)
    given = stack.enter_context(socket.create_connection(listener(stack).getsockname()))
    return Case(lambda: client.attach(given), (client,), stack, [given.fileno()])


@case
def detach(stack: ExitStack, engine: str) -> Case:
    client, _ = connected(stack, engine)
    found = Case(client.detach, (client,), stack, [client.fileno()])
    stack.callback(lambda: [_close(number) for number in found.results])
    return found


@case
def close(stack: ExitStack, engine: str) -> Case:
    client, _ = connected(stack, engine)
    return Case(client.close, (client,), stack)


@case
def close_server(stack: ExitStack, engine: str) -> Case:
    server = made(stack, Server, engine)
    server.create(0, HOST)
    server.listen()
    return Case(server.close, (server,), stack)


@case
def send(stack: ExitStack, engine: str) -> Case:
    client, _ = connected(stack, engine)
    return Case(lambda: client.send(b"x"), (client,), stack)


@case
def send_that_waits(stack: ExitStack, engine: str) -> Case:
    client, _ = connected(stack, engine)
    client.timeout = 0.001

    def call() -> None:
        with suppress(TimeoutError):
            client.send(bytes(8_000_000))

    return Case(call, (client,), stack)


@case
def send_much(stack: ExitStack, engine: str) -> Case:
    client, peer = connected(stack, engine)
    data, came = bytes(1_000_000), []
    reader = threading.Thread(target=lambda: came.extend(map(len, iter(lambda: peer.recv(1 << 16), b""))))
    reader.start()

    def check(done: Case) -> Iterator[str]:
        sent = done.results[0] if done.results else done.sent
        client.close()
        reader.join(5)
        if sent is not None and sent != sum(came):
            yield f"{sent} bytes were sent, as the error says, and {sum(came)} came"
        elif sent is None and came:
            yield f"the error does not say that {sum(came)} bytes were sent"

    return Case(lambda: client.send(data), (client,), stack, check=check)


@case
def accept_that_waits(stack: ExitStack, engine: str) -> Case:
    server, target = made(stack, Server, engine, timeout=0.001), made(stack, Accepted, engine)
    server.create(0, HOST)
    server.listen()

    def call() -> None:
        with suppress(TimeoutError):
            server.accept(target)

    return Case(call, (server, target), stack)


@case
def create_at_a_path(stack: ExitStack, engine: str) -> Case:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    sock = made(stack, Server, engine)

    def check(done: Case) -> Iterator[str]:
        sock.close()
        if list(folder.iterdir()):
            yield "the path is left"

    return Case(lambda: sock.create(path=folder / "s"), (sock,), stack, check=check)


def _unix_pair(stack: ExitStack, engine: str) -> tuple[Client, socket.socket]:
    ours, peer = socket.socketpair()
    stack.callback(peer.close)
    client = made(stack, Client, engine)
    client.attach(ours)
    return client, peer


@case
def send_handles(stack: ExitStack, engine: str) -> Case:
    client, peer = _unix_pair(stack, engine)
    return Case(lambda: client.send_handles(b"x", [peer]), (client,), stack)


@case
def receive_handles(stack: ExitStack, engine: str) -> Case:
    client, peer = _unix_pair(stack, engine)
    socket.send_fds(peer, [b"x"], [peer.fileno(), peer.fileno()])

    def check(done: Case) -> Iterator[str]:
        for _, handles in done.results:
            for number in handles:
                os.close(number)
        yield from ()

    return Case(client.receive_handles, (client,), stack, check=check)


@case
def receive_from(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine)
    datagram.create(0, HOST)
    datagram.send_to(b"x", *datagram.local_address)
    return Case(datagram.receive_from, (datagram,), stack)


@case
def receive(stack: ExitStack, engine: str) -> Case:
    client, peer = connected(stack, engine)
    peer.sendall(b"x")
    return Case(client.receive, (client,), stack)


@case
def receive_the_end(stack: ExitStack, engine: str) -> Case:
    client, peer = connected(stack, engine)
    peer.shutdown(socket.SHUT_WR)
    return Case(client.receive, (client,), stack)


@case
def receive_that_waits(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine, timeout=0.001)
    datagram.create(0, HOST)

    def call() -> None:
        with suppress(TimeoutError):
            datagram.receive()

    return Case(call, (datagram,), stack)


def _close(number: int) -> None:
    with suppress(OSError):
        os.close(number)
