"""Data cells of a connection: the data that arrives, its parts, what the peer sees, and returned values."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from typing import Any

from lifecycle import roles
from lifecycle.conformance.adapters.protocol import Mismatch
from lifecycle.conformance.adapters.session import Handed
from lifecycle.conformance.adapters.setup_states import address_of, descriptor_of
from lifecycle.conformance.data_cells.cell import DataCell, Scene, must_be, must_time_out
from lifecycle.conformance.model.environment import Under
from lifecycle.conformance.model.environments import MESSAGE
from lifecycle.roles.words import (
    CLOSE,
    CONNECT,
    DETACH,
    GET_OPTION,
    GET_PEER_NAME,
    GET_SOCK_NAME,
    RECEIVE,
    SEND,
    SET_OPTION,
    SHUT_DOWN,
)

BOTH_ENDS = (roles.CLIENT.name, roles.ACCEPTED.name)
LINKED = frozenset({"linked"})
ENDED = frozenset({"send_ended", "receive_ended", "end_seen", "reset", "end", "data", "full", "sent", "gone"})
EVERY_BYTE = bytes(range(256))
LARGE = (bytes(number * 31 % 251 for number in range(251)) * 1045)[: 1 << 18]
PART = 1 << 15
SWITCHES = (
    ("SO_KEEPALIVE", socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    ("TCP_NODELAY", socket.IPPROTO_TCP, socket.TCP_NODELAY),
)
NEVER_FULL = 8 << 20  # the number of bytes after which no more is sent


def _in_parts(scene: Scene) -> None:
    scene.peer.send_all(b"one two three")
    must_be(b"one", scene.receive(3))
    scene.receive_all(b" two three", size=4)


def _both_messages(scene: Scene) -> None:
    scene.peer.send_all(MESSAGE)
    scene.peer.send_all(MESSAGE)
    scene.receive_all(2 * MESSAGE, size=65536)


def _every_byte_received(scene: Scene) -> None:
    scene.peer.send_all(EVERY_BYTE)
    scene.receive_all(EVERY_BYTE, size=65536)


def _every_byte_sent(scene: Scene) -> None:
    must_be(len(EVERY_BYTE), scene.do(SEND.name, EVERY_BYTE))
    must_be(EVERY_BYTE, scene.peer.receive(len(EVERY_BYTE)))


def _sent_once(scene: Scene) -> None:
    must_be(len(MESSAGE), scene.do(SEND.name, MESSAGE))
    scene.do(SHUT_DOWN.name, "sends")
    must_be(MESSAGE, scene.peer.receive_to_the_end())


def _nothing_sent(scene: Scene) -> None:
    must_be(0, scene.do(SEND.name, b""))


def _large(scene: Scene) -> None:
    scene.stage.set_circumstances(Under.AT_ONCE)
    sent, got = 0, b""
    while sent < len(LARGE):
        try:
            part = scene.sock.send(LARGE[sent:])
        except BlockingIOError:
            part = 0
        sent += part
        if not part and len(got) == sent:
            raise Mismatch("room for more, when all was received", "none")
        got += scene.peer.receive(sent - len(got))
    must_be(LARGE, got)


def _parts_are_counted(scene: Scene) -> None:
    taken = _fill(scene)
    must_be(taken, scene.peer.receive(len(taken)))


def _large_received(scene: Scene) -> None:
    sent, got = 0, b""
    while len(got) < len(LARGE):
        with suppress(BlockingIOError):
            sent += scene.peer.sock.send(LARGE[sent : sent + PART])
        got += scene.receive(PART)
        must_be(LARGE[: len(got)], got)


def _close_is_seen(scene: Scene) -> None:
    scene.do(SEND.name, MESSAGE)
    must_be(MESSAGE, scene.peer.receive(len(MESSAGE)))
    scene.do(CLOSE.name)
    must_be(b"", scene.peer.receive_to_the_end())


def _half_close_is_seen(scene: Scene) -> None:
    scene.do(SHUT_DOWN.name, "sends")
    must_be(b"", scene.peer.receive_to_the_end())
    scene.peer.send_all(MESSAGE)
    must_be(MESSAGE, scene.receive(65536))


def _peer_name(scene: Scene) -> None:
    must_be(address_of(scene.peer.sock), scene.do(GET_PEER_NAME.name)[:2])


def _own_name(scene: Scene) -> None:
    must_be(tuple(scene.peer.sock.getpeername()[:2]), scene.do(GET_SOCK_NAME.name)[:2])


def _peek(scene: Scene) -> None:
    scene.peer.send_all(MESSAGE)
    scene.stage.settle(frozenset({"data"}))
    scene.stage.set_circumstances(Under.PATIENTLY)
    for size in (3, 65536):
        must_be(MESSAGE[:size], scene.sock.recv(size, socket.MSG_PEEK))
    must_be(MESSAGE, scene.receive(65536))


def _sendall(scene: Scene) -> None:
    scene.stage.set_circumstances(Under.PATIENTLY)
    must_be(None, scene.sock.sendall(EVERY_BYTE))
    must_be(EVERY_BYTE, scene.peer.receive(len(EVERY_BYTE)))


def _sendall_of_much(scene: Scene) -> None:
    scene.stage.set_circumstances(Under.BRIEFLY)
    try:
        scene.sock.sendall(LARGE)
    except (BlockingIOError, TimeoutError):  # it does not fit, and the peer does not read meanwhile
        return
    must_be(LARGE, scene.peer.receive(len(LARGE)))


def _sendmsg(scene: Scene) -> None:
    scene.stage.set_circumstances(Under.PATIENTLY)
    parts = (b"one ", b"", b"two ", b"three")
    must_be(len(b"".join(parts)), scene.sock.sendmsg(parts))
    must_be(b"".join(parts), scene.peer.receive(len(b"".join(parts))))


def _recv_into(scene: Scene) -> None:
    scene.peer.send_all(MESSAGE)
    scene.stage.settle(frozenset({"data"}))
    scene.stage.set_circumstances(Under.PATIENTLY)
    room = bytearray(20)
    must_be(3, scene.sock.recv_into(room, 3))
    must_be(MESSAGE[:3] + bytes(17), bytes(room))
    must_be(len(MESSAGE) - 3, scene.sock.recv_into(memoryview(room)[3:]))
    must_be(MESSAGE, bytes(room[: len(MESSAGE)]))


def _with(scene: Scene) -> None:
    assert scene.peer.sock is not None  # it is connected before the block is left
    with scene.sock as entered:
        must_be(True, entered is scene.sock)
    must_be(b"", scene.peer.receive_to_the_end())


def _time_out(scene: Scene) -> None:
    must_time_out(scene, lambda: scene.sock.recv(1))


def _send_times_out(scene: Scene) -> None:
    _fill(scene)
    must_time_out(scene, lambda: scene.sock.send(LARGE))


def _connect_times_out(scene: Scene) -> None:
    silence = scene.stage.loopback.silence(socket.SOCK_STREAM)
    must_time_out(scene, lambda: scene.sock.connect(silence))


def _send_does_not_wait(scene: Scene) -> None:
    _fill(scene)
    with scene.at_once("send()"):
        try:
            got = scene.sock.send(LARGE)
        except BlockingIOError:
            return
    raise Mismatch("BlockingIOError", got)


def _fill(scene: Scene) -> bytes:
    """Send until the buffers are full; return the data that was sent."""
    scene.stage.set_circumstances(Under.AT_ONCE)
    taken = bytearray()
    with suppress(BlockingIOError):
        while len(taken) < NEVER_FULL:
            at = len(taken) % len(LARGE)
            taken += LARGE[at : at + scene.sock.send(LARGE[at:])]
    return bytes(taken)


def _no_wait(scene: Scene) -> None:
    scene.stage.set_circumstances(Under.AT_ONCE)
    with scene.at_once("recv()"):
        try:
            got = scene.sock.recv(1)
        except BlockingIOError:
            return
    raise Mismatch("BlockingIOError", got)


def _reset_is_named(scene: Scene) -> None:
    scene.peer.peer_resets()
    scene.stage.settle(frozenset({"reset"}))
    scene.stage.set_circumstances(Under.PATIENTLY)
    _must_raise(errno.ECONNRESET, lambda: scene.sock.recv(1), unless=b"")  # which the graph judges


def _must_raise(number: int, call: Any, *, unless: object = None) -> None:
    try:
        got = call()
    except OSError as error:
        must_be(errno.errorcode[number], errno.errorcode.get(error.errno or 0, type(error).__name__))
        return
    if unless is None or got != unless:
        raise Mismatch(errno.errorcode[number], got)


def _refusal_is_named(scene: Scene) -> None:
    nobody = scene.stage.loopback.nobody(socket.SOCK_STREAM)
    scene.stage.set_circumstances(Under.PATIENTLY)
    _must_raise(errno.ECONNREFUSED, lambda: scene.sock.connect(nobody))


def _error_is_reported_once(scene: Scene) -> None:
    scene.stage.set_circumstances(Under.AT_ONCE)
    try:
        scene.sock.connect(scene.stage.loopback.nobody(socket.SOCK_STREAM))
    except ConnectionRefusedError:
        return
    except BlockingIOError:
        scene.stage.settle(frozenset({"refused"}))
    must_be(errno.ECONNREFUSED, scene.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    must_be(0, scene.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def _connect_does_not_wait(scene: Scene) -> None:
    scene.stage.set_circumstances(Under.AT_ONCE)
    silence = scene.stage.loopback.silence(socket.SOCK_STREAM)
    with scene.at_once("connect()"):
        try:
            scene.sock.connect(silence)
        except BlockingIOError:
            return
    raise Mismatch("BlockingIOError", "a connection to a listener whose queue is full")


def _detached_is_open(scene: Scene) -> None:
    number = descriptor_of(scene.sock)
    before = Handed(number)
    got = scene.do(DETACH.name)
    scene.stage.kept.append(before)
    if got != number:
        raise Mismatch("the descriptor", f"a {type(got).__name__} that is not its number")
    if not before.is_open:
        raise Mismatch("an open descriptor", "one that is closed")


def _options(scene: Scene) -> None:
    for wanted in (16384, 32768):
        scene.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)
        got = scene.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        if not isinstance(got, int) or not wanted <= got <= 2 * wanted:  # Linux gives twice the size: socket(7)
            raise Mismatch(f"SO_RCVBUF of {wanted} bytes, or twice that", got)


def _switches(scene: Scene) -> None:
    for name, level, option in SWITCHES:
        for wanted in (True, False):
            scene.sock.setsockopt(level, option, int(wanted))
            got = scene.sock.getsockopt(level, option)
            if bool(got) is not wanted:
                raise Mismatch(f"{name} that is {'on' if wanted else 'off'}", got)


def _kind(scene: Scene) -> None:
    must_be(int(socket.SOCK_STREAM), scene.sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE))


def _connected(name: str, call: str, check: Any, **more: Any) -> DataCell:
    return DataCell(name, call, BOTH_ENDS, check, LINKED, ENDED, **more)


def _unconnected(name: str, call: str, check: Any, **more: Any) -> DataCell:
    where, unless = frozenset({"handle"}), frozenset({"linked", "seeking", "over", "refused_before"})
    return DataCell(name, call, (roles.CLIENT.name,), check, where, unless, **more)


STREAM_CELLS: tuple[DataCell, ...] = (
    _connected("a message, read in parts", RECEIVE.name, _in_parts),
    _connected("two messages", RECEIVE.name, _both_messages),
    _connected("every byte", RECEIVE.name, _every_byte_received),
    _connected("every byte", SEND.name, _every_byte_sent),
    _connected("once", SEND.name, _sent_once, also=(SHUT_DOWN.name,)),
    _connected("nothing", SEND.name, _nothing_sent),
    _connected("256 KiB", SEND.name, _large, methods=(SEND.name,)),
    _connected("256 KiB", RECEIVE.name, _large_received),
    _connected("as much as it says, up to what fits", SEND.name, _parts_are_counted, methods=(SEND.name,), needs_full=True),
    _connected("the peer sees the end", CLOSE.name, _close_is_seen, also=(SEND.name,)),
    _connected("the peer sees the end, and can answer", SHUT_DOWN.name, _half_close_is_seen, also=(RECEIVE.name,)),
    _connected("the peer's address", GET_PEER_NAME.name, _peer_name),
    _connected("the address that the peer sees", GET_SOCK_NAME.name, _own_name),
    _connected("MSG_PEEK", RECEIVE.name, _peek, methods=("recv",), needs_flags=True),
    _connected("sendall()", SEND.name, _sendall, methods=("sendall",)),
    _connected("sendall() of 256 KiB", SEND.name, _sendall_of_much, methods=("sendall",)),
    _connected("sendmsg()", SEND.name, _sendmsg, methods=("sendmsg",)),
    _connected("recv_into()", RECEIVE.name, _recv_into, methods=("recv_into",)),
    _connected("leaving a with block", CLOSE.name, _with, methods=("__enter__", "__exit__")),
    _connected("a time-out passes in time", RECEIVE.name, _time_out, methods=("settimeout",), tries=3),
    _connected(
        "a time-out passes in time", SEND.name, _send_times_out, methods=("send", "settimeout"), tries=3, needs_full=True
    ),
    _connected("not waiting takes no time", RECEIVE.name, _no_wait, methods=("recv",), tries=3, needs_no_wait=True),
    _connected("not waiting takes no time", SEND.name, _send_does_not_wait, methods=("send",), tries=3, needs_full=True),
    _connected("a reset is ECONNRESET", RECEIVE.name, _reset_is_named, methods=("recv",), actions=("peer_resets",)),
    _connected("the descriptor stays open", DETACH.name, _detached_is_open, methods=(DETACH.name,), needs_descriptor=True),
    _connected("what is set is got", SET_OPTION.name, _options, methods=("setsockopt", "getsockopt")),
    _connected("switches", SET_OPTION.name, _switches, methods=("setsockopt", "getsockopt"), needs_descriptor=True),
    _connected("SO_TYPE", GET_OPTION.name, _kind, methods=("getsockopt",)),
    _unconnected("a refusal is ECONNREFUSED", CONNECT.name, _refusal_is_named, methods=(CONNECT.name,)),
    _unconnected("SO_ERROR reports it once", GET_OPTION.name, _error_is_reported_once, methods=(CONNECT.name, "getsockopt")),
    _unconnected(
        "not waiting takes no time",
        CONNECT.name,
        _connect_does_not_wait,
        methods=(CONNECT.name,),
        tries=3,
        needs_silence=True,
    ),
    _unconnected(
        "a time-out passes in time",
        CONNECT.name,
        _connect_times_out,
        methods=(CONNECT.name, "settimeout"),
        tries=3,
        needs_silence=True,
    ),
)
"""each with its scene"""
