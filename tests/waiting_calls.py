"""Every call that waits, of both twins, in a place where it waits in vain, and what makes it go on."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from loopback import HOST, raw_listener, unanswering_listener

from lifecycle.conformance.adapters.certificates import NAME, client_context


@dataclass(frozen=True)
class Place:
    """subject: the object. call: makes the call, with a time-out. end: what ends its wait; `gives` is what it returns then.

    during: the state after a time-out.
    """

    subject: Any
    call: Callable[[float | None], Any]
    end: Callable[[], object]
    gives: object
    during: str


Scene = Callable[[ModuleType, ExitStack], Place]


def _stream(twin: ModuleType, stack: ExitStack) -> tuple[Any, socket.socket]:
    subject = stack.enter_context(twin.Client())
    with raw_listener() as listener:
        subject.attach(socket.create_connection(listener.getsockname()))
        peer = stack.enter_context(listener.accept()[0])
    return subject, peer


def _pair(twin: ModuleType, stack: ExitStack, kind: socket.SocketKind) -> tuple[Any, socket.socket]:
    mine, peer = socket.socketpair(socket.AF_UNIX, kind)
    subject = stack.enter_context((twin.Client if kind is socket.SOCK_STREAM else twin.Datagram)())
    subject.attach(mine)
    return subject, stack.enter_context(peer)


def receiving(name: str, *arguments: Any, gives: object = b"late\n", reader: bool = False) -> Scene:
    def scene(twin: ModuleType, stack: ExitStack) -> Place:
        subject, peer = _stream(twin, stack)
        face = twin.Reader(subject) if reader else subject
        call = getattr(face, name)
        return Place(subject, lambda t: call(*arguments, timeout=t), lambda: peer.sendall(b"late\n"), gives, "connected")

    return scene


def receiving_handles(kind: socket.SocketKind) -> Scene:
    def scene(twin: ModuleType, stack: ExitStack) -> Place:
        subject, peer = _pair(twin, stack, kind)
        call = lambda t: subject.receive_handles(9, timeout=t)  # noqa: E731
        return Place(subject, call, lambda: peer.send(b"late\n"), (b"late\n", []), "connected")

    return scene


def sending(name: str, *arguments: Any) -> Scene:
    """A stream whose buffers are full."""

    def scene(twin: ModuleType, stack: ExitStack) -> Place:
        subject, peer = _pair(twin, stack, socket.SOCK_STREAM)
        fill(subject)
        made = [io.BytesIO(each) if name == "send_file" else each for each in arguments]
        return Place(subject, lambda t: getattr(subject, name)(*made, timeout=t), lambda: drain(peer), 4, "connected")

    return scene


def fill(subject: Any) -> None:
    """Send to a Unix-domain socket, past its object, until it takes nothing more."""
    with socket.socket(fileno=socket.dup(subject.fileno())) as raw, suppress(BlockingIOError):
        raw.setblocking(False)
        while raw.send(b"full"):
            pass


def drain(peer: socket.socket) -> int:
    """Receive all that is there; how much."""
    peer.setblocking(False)
    size = 0
    try:
        while True:
            size += len(peer.recv(1 << 20))
    except BlockingIOError:
        return size


def message(name: str, *arguments: Any, gives: Callable[[Any], object]) -> Scene:
    def scene(twin: ModuleType, stack: ExitStack) -> Place:
        raw = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        raw.bind((HOST, 0))
        peer = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        peer.bind((HOST, 0))
        subject = stack.enter_context(twin.Datagram())
        subject.attach(raw)
        end = lambda: peer.sendto(b"late", subject.local_address)  # noqa: E731
        call = lambda t: getattr(subject, name)(*arguments, timeout=t)  # noqa: E731
        return Place(subject, call, end, gives(peer.getsockname()), "bound")

    return scene


def message_out(name: str, *arguments: Any) -> Scene:
    """A datagram socket whose peer's queue is full."""

    def scene(twin: ModuleType, stack: ExitStack) -> Place:
        subject, peer = _pair(twin, stack, socket.SOCK_DGRAM)
        fill(subject)
        return Place(subject, lambda t: getattr(subject, name)(*arguments, timeout=t), lambda: drain(peer), 4, "connected")

    return scene


def accepting(twin: ModuleType, stack: ExitStack) -> Place:
    listener = socket.create_server((HOST, 0))
    subject = stack.enter_context(twin.Server())
    subject.attach(listener)
    target = twin.Accepted()
    stack.callback(target.close)
    end = lambda: stack.enter_context(socket.create_connection(subject.local_address))  # noqa: E731
    return Place(subject, lambda t: subject.accept(target, timeout=t), end, target, "listening")


def connecting(twin: ModuleType, stack: ExitStack) -> Place:
    subject = stack.enter_context(twin.Client())
    subject.open()
    address = stack.enter_context(unanswering_listener())

    def call(timeout: float | None) -> Any:
        if subject.is_legal("connect"):
            return subject.connect(*address, timeout=timeout)
        return subject.finish_connect(timeout=timeout)

    return Place(subject, call, lambda: None, None, "connecting")


def shaking_hands(twin: ModuleType, stack: ExitStack) -> Place:
    subject, _ = _stream(twin, stack)

    def call(timeout: float | None) -> Any:
        if subject.is_legal("start_tls"):
            return subject.start_tls(client_context(), server_hostname=NAME, timeout=timeout)
        return subject.finish_tls(timeout=timeout)

    return Place(subject, call, lambda: None, None, "handshaking")


SCENES: dict[str, Scene] = {
    "accept": accepting,
    "connect, finish_connect": connecting,
    "start_tls, finish_tls": shaking_hands,
    "receive": receiving("receive"),
    "receive, MSG_WAITALL": receiving("receive", 5, getattr(socket, "MSG_WAITALL", 0)),
    "receive_from": receiving("receive_from", gives=(b"late\n", None)),
    "receive_into": receiving("receive_into", bytearray(5), gives=5),
    "receive_exactly": receiving("receive_exactly", 5),
    "receive_until": receiving("receive_until", b"\n", gives=b"late"),
    "receive_handles": receiving_handles(socket.SOCK_STREAM),
    "readline": receiving("readline", reader=True),
    "read": receiving("read", reader=True),
    "read_exactly": receiving("read_exactly", 5, reader=True),
    "read_until": receiving("read_until", b"\n", gives=b"late", reader=True),
    "send": sending("send", b"late"),
    "send_to": sending("send_to", b"late"),
    "send_gathered": sending("send_gathered", [b"la", b"te"]),
    "send_file": sending("send_file", b"late"),
    "send_handles": sending("send_handles", b"late", [0]),
    "receive of a message": message("receive", gives=lambda sender: b"late"),
    "receive_from of a message": message("receive_from", gives=lambda sender: (b"late", sender)),
    "receive_handles of a message": receiving_handles(socket.SOCK_DGRAM),
    "send of a message": message_out("send", b"late"),
    "send_handles of a message": message_out("send_handles", b"late", [0]),
}
