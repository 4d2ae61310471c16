"""Makes a real call end in each of its outcomes. Together with the arrangements: evidence for every row of every table."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from descriptors import no_descriptors_left
from kernel import DATA, ERROR
from loopback import (
    HOST,
    LONG,
    Background,
    datagram_pair,
    fill,
    listening,
    reset,
    unanswering_listener,
    until,
    until_shows,
    unused_port,
)
from states import SOCKET_ROLES, World, arrange, begin_connect, bring, handle_for

from lifecycle import (
    BlockingCallCancelled,
    Datagram,
    HandshakeRefused,
    MessageTruncated,
    PlainTextUnread,
    Server,
    SocketFile,
    StreamTruncated,
)
from lifecycle.conformance.adapters.certificates import context_of
from lifecycle.engine import Role
from lifecycle.roles.facts import PEER, Facts, Link
from lifecycle.system.portable_calls import dissolve

TICK = 0.01  # seconds of time-out, where the time-out has to pass
TOO_LONG = bytes(65508)  # for a datagram over IPv4
NO_OPTION = 9999
MESSAGE = b"message"

Provocation = Callable[[World], None]


def fails(kind: type[BaseException], call: Callable[..., Any], *arguments: Any) -> None:
    """The call must raise just this kind of error."""
    try:
        call(*arguments)
    except kind:
        return
    raise AssertionError(f"{call.__name__}{arguments} did not raise {kind.__name__}")


# -- handles -----------------------------------------------------------------------------------------------------------------


def _create_on_used_port(w: World) -> None:
    kind = w.kind._kind
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        fails(OSError, w.subject.create, other.getsockname()[1], HOST)


def _open_without_descriptors(w: World) -> None:
    with no_descriptors_left():
        fails(OSError, w.subject.open)


def _bind_used_port(w: World) -> None:
    kind = w.kind._kind
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        fails(OSError, w.subject.bind, other.getsockname()[1], HOST)


def _listen_beside_a_listener(w: World) -> None:
    with Server() as rival:
        rival.create(w.subject.get_sock_name().port, HOST)
        rival.listen()
        fails(OSError, w.subject.listen)


def _attach_nothing(w: World) -> None:
    sock = socket.socket()
    number = sock.fileno()
    sock.close()
    fails(OSError, w.subject.attach, number)


def _attach(at: Facts) -> Provocation:
    def provoke(w: World) -> None:
        if sys.platform != "linux" and at.link is Link.PEER and at != PEER:
            pytest.skip("only Linux shows which directions of a datagram socket were shut down")
        handle = handle_for(w, at)
        w.stack.callback(handle.close)
        w.subject.attach(handle)

    return provoke


def _attaching(role: Role, *names: str) -> dict[str, Provocation]:
    """attach() of a handle in each state of the role that has a socket, or in those of these names."""
    states = [state for state in role.states if state.facts.handle and (not names or state.name in names)]
    return {"failed": _attach_nothing, **{state.name: _attach(state.facts) for state in states}}


def _detach(w: World) -> None:
    os.close(w.subject.detach())


# -- connections -------------------------------------------------------------------------------------------------------------


def _accept(w: World) -> None:
    with socket.create_connection(w.subject.get_sock_name()), w.subject.accept():
        pass


def _accept_without_descriptors(w: World) -> None:
    with socket.create_connection(w.subject.get_sock_name()):
        with no_descriptors_left():
            fails(OSError, w.subject.accept)
        w.subject.accept().close()


def _impatient(w: World, timeout: float, error: type[OSError]) -> None:
    w.subject.timeout = timeout
    fails(error, w.subject.accept)


def _be_accepted(w: World) -> None:
    with listening() as server:
        w.peer.connect(server.get_sock_name())
        server.accept(w.subject)


def _lay_a_file_over(w: World) -> None:
    SocketFile(w.subject).close()


def _connect(w: World) -> None:
    listener = w.listener()
    w.subject.connect(*listener.getsockname())
    _meet(w, listener)


def _meet(w: World, listener: socket.socket) -> None:
    """Have the accepted end of the subject's connection as its peer."""
    w.peer.close()
    w.peer, _ = listener.accept()


def _connect_to_nobody(w: World) -> None:
    fails(ConnectionRefusedError, w.subject.connect, HOST, unused_port())


def _connect_without_waiting(w: World) -> None:
    w.subject.timeout = 0
    fails(BlockingIOError, w.subject.connect, *w.listener().getsockname())


def _connect_in_vain(w: World) -> None:
    w.subject.timeout = TICK
    fails(TimeoutError, w.subject.connect, *w.open(unanswering_listener()))


def _cancelled(w: World, call: Callable[..., object], *arguments: object) -> None:
    """Cancel a call once it waits."""
    w.subject.timeout = LONG
    waiting = Background(lambda: call(*arguments))
    until(lambda: w.subject.is_blocking)
    w.subject.cancel_blocking_call()
    fails(BlockingCallCancelled, waiting.result)


def _connect_elsewhere(w: World) -> None:
    fails(OSError, w.subject.connect, "::", 9)


def _anew(w: World, address: tuple[str, int]) -> None:
    """Replace a subject that is `connecting` to nowhere by one that is connecting to `address`."""
    w.subject.close()
    w.subject = w.open(w.kind())
    begin_connect(w, address)


def _finish_connect(w: World) -> None:
    listener = w.listener()
    _anew(w, listener.getsockname())
    w.subject.finish_connect()
    _meet(w, listener)


def _finish_refused(w: World) -> None:
    _anew(w, (HOST, unused_port()))
    fails(ConnectionRefusedError, w.subject.finish_connect)


def _finish_without_waiting(w: World) -> None:
    w.subject.timeout = 0
    fails(BlockingIOError, w.subject.finish_connect)


def _finish_in_vain(w: World) -> None:
    w.subject.timeout = TICK
    fails(TimeoutError, w.subject.finish_connect)


# -- data on a stream --------------------------------------------------------------------------------------------------------


def _sending(call: str) -> dict[str, Provocation]:
    def send(w: World) -> int:
        sent: int = getattr(w.subject, call)(MESSAGE)
        return sent

    def into_full_buffer(w: World, timeout: float, error: type[OSError]) -> None:
        fill(w.subject)
        w.subject.timeout = timeout
        fails(error, send, w)

    def cancelled(w: World) -> None:
        fill(w.subject)
        blocked = Background(lambda: send(w))
        until(lambda: w.subject.is_blocking)
        w.subject.cancel_blocking_call()
        fails(BlockingCallCancelled, blocked.result)

    def after_reset(w: World) -> None:
        reset(w.peer)
        until_shows(w.subject, ERROR)
        fails(ConnectionError, send, w)

    return {
        "ok": lambda w: _expect(send(w), len(MESSAGE)),
        "pending": lambda w: into_full_buffer(w, 0, BlockingIOError),
        "timed_out": lambda w: into_full_buffer(w, TICK, TimeoutError),
        "failed": cancelled,
        "broken": after_reset,
    }


def _expect(value: object, wanted: object) -> None:
    assert value == wanted, f"{value!r} is not {wanted!r}"


def _receive(w: World, call: str, *arguments: int) -> object:
    got = getattr(w.subject, call)(*arguments)
    return got[0] if call == "receive_from" else got


def _without_data(w: World, call: str, timeout: float, error: type[OSError]) -> None:
    w.subject.timeout = timeout
    fails(error, _receive, w, call)


def _receiving(call: str) -> dict[str, Provocation]:
    def something(w: World) -> None:
        if w.subject.state in ("connected", "send_shut", "secured", "secured_send_shut"):
            (w.peer if w.tls is None else w.tls).send(MESSAGE)
            _expect(_receive(w, call), MESSAGE)
        else:
            _expect(_receive(w, call, 0), b"")

    def end(w: World) -> None:
        with suppress(OSError):  # it has ended already
            w.peer.shutdown(socket.SHUT_WR) if w.tls is None else w.tls.end()
        _expect(_receive(w, call), b"")

    def cut(w: World) -> None:
        with suppress(OSError):  # it has ended already
            w.peer.shutdown(socket.SHUT_WR)
        fails(StreamTruncated, _receive, w, call)

    def after_reset(w: World) -> None:
        if w.subject.state != "broken":
            reset(w.peer)
        fails(ConnectionResetError, _receive, w, call)

    return {
        "ok": something,
        "pending": lambda w: _without_data(w, call, 0, BlockingIOError),
        "timed_out": lambda w: _without_data(w, call, TICK, TimeoutError),
        "failed": lambda w: fails(OSError, _receive, w, call, 1, socket.MSG_OOB),
        "eof": end,
        "broken": after_reset,
        "truncated": cut,
    }


def _shut_down(how: str) -> Provocation:
    return lambda w: _expect(w.subject.shut_down(how), None)


def _after_reset(call: str) -> Provocation:
    def provoke(w: World) -> None:
        reset(w.peer)
        until_shows(w.subject, ERROR)
        fails(OSError, getattr(w.subject, call))

    return provoke


# -- descriptors, over Unix-domain sockets -----------------------------------------------------------------------------------


def _locally(w: World, unread: bytes = b"") -> None:
    """Replace the subject by one of the same state over Unix-domain sockets, which has sent `unread` to its new peer."""
    wanted = w.subject.facts
    w.subject.close()
    w.peer.close()
    w.subject = w.open(w.kind(timeout=LONG))
    if not wanted.address:
        w.subject.open(socket.AF_UNIX)
        return
    if wanted.link is Link.NO:
        w.subject.create(path=w.open(TemporaryDirectory()) + "/s")
        w.peer = socket.socket(socket.AF_UNIX, w.kind._kind)
        w.peer.connect(w.subject.local_address.path)
        return
    own, w.peer = socket.socketpair(socket.AF_UNIX, w.kind._kind)
    if unread:
        own.send(unread)
    w.subject.attach(own)
    if wanted.link is Link.RESET:
        socket.send_fds(w.peer, [MESSAGE], [0])
        w.peer.close()
        fails(BrokenPipeError, w.subject.send, MESSAGE)
        return
    bring(w, wanted)


def _send_handle(w: World) -> None:
    _locally(w)
    _expect(w.subject.send_handles(MESSAGE, [0]), len(MESSAGE))
    _, handles, _, _ = socket.recv_fds(w.peer, 99, 9)
    os.close(handles[0])


def _fill_locally(w: World) -> None:
    _locally(w)
    with suppress(BlockingIOError):
        while True:
            w.subject._socket.send(MESSAGE)


def _send_handles_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    _fill_locally(w)
    w.subject.timeout = timeout
    fails(error, w.subject.send_handles, MESSAGE, [0])


def _send_handles_after_close(w: World) -> None:
    _locally(w)
    w.peer.close()
    fails(ConnectionError, w.subject.send_handles, MESSAGE, [0])


def _receive_handles_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    _locally(w)
    w.subject.timeout = timeout
    fails(error, _take_handles, w)


def _take_handles(w: World) -> tuple[bytes, int]:
    """What was received, and how many descriptors, which are closed."""
    data, handles = w.subject.receive_handles()
    for handle in handles:
        os.close(handle)
    return data, len(handles)


def _receive_handle(w: World) -> None:
    _locally(w)
    with suppress(OSError):  # it has sent already, or has ended
        socket.send_fds(w.peer, [MESSAGE], [0])
    _expect(_take_handles(w), (MESSAGE, 1))


def _receive_handles_at_the_end(w: World) -> None:
    _locally(w)
    with suppress(OSError):  # it has ended already
        w.peer.shutdown(socket.SHUT_WR)
    _expect(_take_handles(w), (b"", 0))


def _receive_handles_after_reset(w: World) -> None:
    if w.subject.state == "broken":
        _receive_handle(w)
    else:
        _locally(w, unread=MESSAGE)
        w.peer.close()  # over what was not read: the connection is reset
    fails(ConnectionResetError, _take_handles, w)


SENDING_HANDLES: dict[str, Provocation] = {
    "ok": _send_handle,
    "pending": lambda w: _send_handles_in_vain(w, 0, BlockingIOError),
    "timed_out": lambda w: _send_handles_in_vain(w, TICK, TimeoutError),
    "failed": lambda w: fails(OSError, w.subject.send_handles, MESSAGE, [0]),
    "broken": _send_handles_after_close,
}
RECEIVING_HANDLES: dict[str, Provocation] = {
    "ok": _receive_handle,
    "pending": lambda w: _receive_handles_in_vain(w, 0, BlockingIOError),
    "timed_out": lambda w: _receive_handles_in_vain(w, TICK, TimeoutError),
    "failed": lambda w: fails(OSError, w.subject.receive_handles),
    "eof": _receive_handles_at_the_end,
    "broken": _receive_handles_after_reset,
}


# -- TLS ---------------------------------------------------------------------------------------------------------------------


def _shake_hands(w: World) -> None:
    """Begin the handshake, or go on with it."""
    if w.subject.state == "connected":
        w.subject.start_tls(w.context())
    else:
        w.subject.finish_tls()


def _handshake_without_peer(w: World, timeout: float, error: type[OSError]) -> None:
    w.subject.timeout = timeout
    fails(error, _shake_hands, w)


def _finish_tls(w: World) -> None:
    tls = w.peer_begins_tls()
    w.subject.finish_tls()
    tls.finish()
    _expect(tls.failure, None)


def _refuse_the_handshake(w: World) -> None:
    w.peer_begins_tls("stranger")
    fails(HandshakeRefused, _shake_hands, w)


def _reset_the_handshake(w: World) -> None:
    reset(w.peer)
    until_shows(w.subject, ERROR)
    fails(ConnectionError, _shake_hands, w)


def _start_tls_under_a_file(w: World) -> None:
    w.peer.send(MESSAGE)
    until_shows(w.subject, DATA)
    file = w.open(SocketFile(w.subject, archive_compatible=False))
    w.subject.timeout = 0
    _expect(file.read(len(MESSAGE) + 1), None)
    fails(PlainTextUnread, w.subject.start_tls, w.context())


def _start_tls_as_the_other_side(w: World) -> None:
    fails(OSError, w.subject.start_tls, context_of(not w.is_tls_server))


def _end_with_full_buffers(w: World) -> None:
    """Replace a subject that has ended TLS by one whose close_notify has not gone out."""
    w.subject.close()
    w.peer.close()
    w.peer = socket.socket()
    w.subject = w.open(w.kind(timeout=LONG))
    arrange(w, w.kind.role.state("secured_peer_closed").facts)
    fill(w.subject)
    w.subject.shut_down("sends")


def _stop_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    _end_with_full_buffers(w)
    w.subject.timeout = timeout
    fails(error, w.subject.stop_tls)


def _cancel_the_stop(w: World) -> None:
    _end_with_full_buffers(w)
    _cancelled(w, w.subject.stop_tls)


def _stop_after_reset(w: World) -> None:
    _end_with_full_buffers(w)
    reset(w.peer)
    until_shows(w.subject, ERROR)
    fails(ConnectionError, w.subject.stop_tls)


# -- what every role has -----------------------------------------------------------------------------------------------------

COMMON: dict[str, dict[str, Provocation]] = {
    "create": {"ok": lambda w: w.subject.create(0, HOST), "failed": _create_on_used_port},
    "open": {"ok": lambda w: w.subject.open(), "failed": _open_without_descriptors},
    "bind": {"ok": lambda w: w.subject.bind(0, HOST), "failed": _bind_used_port},
    "get_sock_name": {"ok": lambda w: w.subject.get_sock_name()},
    "set_option": {
        "ok": lambda w: w.subject.set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),
        "failed": lambda w: fails(OSError, w.subject.set_option, socket.SOL_SOCKET, NO_OPTION, 1),
    },
    "get_option": {
        "ok": lambda w: w.subject.get_option(socket.SO_RCVBUF),
        "failed": lambda w: fails(OSError, w.subject.get_option, NO_OPTION),
    },
    "io_ctl": {"ok": lambda w: _expect(w.subject.io_ctl(), 0)},
    "attach": {**_attaching(SOCKET_ROLES["client"]), **_attaching(SOCKET_ROLES["server"], "listening")},
    "detach": {"ok": _detach},
    "close": {"ok": lambda w: w.subject.close()},
}

STREAM: dict[str, dict[str, Provocation]] = {
    **COMMON,
    "accepted": {"ok": _be_accepted},
    "socket_file": {"ok": _lay_a_file_over},
    "listen": {"ok": lambda w: w.subject.listen(), "failed": _listen_beside_a_listener},
    "accept": {
        "ok": _accept,
        "pending": lambda w: _impatient(w, 0, BlockingIOError),
        "timed_out": lambda w: _impatient(w, TICK, TimeoutError),
        "failed": _accept_without_descriptors,
    },
    "connect": {
        "ok": _connect,
        "refused": _connect_to_nobody,
        "pending": _connect_without_waiting,
        "timed_out": _connect_in_vain,
        "interrupted": lambda w: _cancelled(w, w.subject.connect, *w.open(unanswering_listener())),
        "failed": _connect_elsewhere,
    },
    "finish_connect": {
        "ok": _finish_connect,
        "refused": _finish_refused,
        "pending": _finish_without_waiting,
        "timed_out": _finish_in_vain,
        "interrupted": lambda w: _cancelled(w, w.subject.finish_connect),
    },
    "send": _sending("send"),
    "send_to": _sending("send_to"),
    "receive": _receiving("receive"),
    "receive_from": _receiving("receive_from"),
    "send_handles": SENDING_HANDLES,
    "receive_handles": RECEIVING_HANDLES,
    "shut_down": {
        **{how: _shut_down(how) for how in ("sends", "receives", "both")},
        "failed": _after_reset("shut_down"),
        "broken": _after_reset("shut_down"),
    },
    "get_peer_name": {"ok": lambda w: w.subject.get_peer_name(), "failed": _after_reset("get_peer_name")},
    "start_tls": {
        "ok": lambda w: _expect(w.secure().failure, None),
        "pending": lambda w: _handshake_without_peer(w, 0, BlockingIOError),
        "timed_out": lambda w: _handshake_without_peer(w, TICK, TimeoutError),
        "interrupted": lambda w: _cancelled(w, w.subject.start_tls, w.context()),
        "refused": _refuse_the_handshake,
        "broken": _reset_the_handshake,
        "unread": _start_tls_under_a_file,
        "failed": _start_tls_as_the_other_side,
    },
    "finish_tls": {
        "ok": _finish_tls,
        "pending": lambda w: _handshake_without_peer(w, 0, BlockingIOError),
        "timed_out": lambda w: _handshake_without_peer(w, TICK, TimeoutError),
        "interrupted": lambda w: _cancelled(w, w.subject.finish_tls),
        "refused": _refuse_the_handshake,
        "broken": _reset_the_handshake,
    },
    "stop_tls": {
        "ok": lambda w: _expect(w.subject.stop_tls(), None),
        "pending": lambda w: _stop_in_vain(w, 0, BlockingIOError),
        "timed_out": lambda w: _stop_in_vain(w, TICK, TimeoutError),
        "failed": _cancel_the_stop,
        "broken": _stop_after_reset,
    },
    "get_tls": {"ok": lambda w: _expect(w.subject.get_tls().alpn_protocol, None)},
}


# -- datagrams ---------------------------------------------------------------------------------------------------------------


def _send_handles_to_gone_peer(w: World) -> None:
    _locally(w)
    w.peer.close()
    fails(ConnectionRefusedError, w.subject.send_handles, MESSAGE, [0])


def _receive_handles_after_refusal(w: World) -> None:
    _locally(w, unread=MESSAGE)
    dissolve(w.peer)  # Linux reports ECONNRESET to the one whose message it leaves unread, at once
    w.subject.timeout = TICK
    fails(ConnectionResetError, _take_handles, w)


def _send_to_somebody(w: World) -> None:
    with datagram_pair() as (other, _):
        w.subject.send_to(MESSAGE, *other.get_sock_name())
        _expect(other.receive(), MESSAGE)


def _send_message_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    _fill_locally(w)
    w.subject.timeout = timeout
    fails(error, w.subject.send, MESSAGE)


def _send_to_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    _locally(w)
    w.subject.timeout = timeout
    other = w.open(Datagram())
    other.create(path=w.open(TemporaryDirectory()) + "/s")
    with suppress(BlockingIOError):
        while True:
            w.subject._socket.sendto(MESSAGE, other.local_address.path)
    fails(error, lambda: w.subject.send_to(MESSAGE, path=other.local_address.path))


def _send_to_gone_peer(w: World) -> None:
    w.peer.close()
    w.subject._socket.send(MESSAGE)
    until_shows(w.subject, ERROR)
    fails(ConnectionRefusedError, w.subject.send, MESSAGE)


def _message_for(w: World) -> None:
    """Put a message into the subject's queue."""
    if w.subject.state == "bound":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(MESSAGE, w.subject.get_sock_name())
    else:
        w.peer.send(MESSAGE)


def _receiving_messages(call: str) -> dict[str, Provocation]:
    def message(w: World) -> None:
        _message_for(w)
        _expect(_receive(w, call), MESSAGE)

    def truncated(w: World) -> None:
        _message_for(w)
        fails(MessageTruncated, _receive, w, call, 2)

    def refused(w: World) -> None:
        state = w.subject.state
        w.subject.close()
        w.subject = w.open(w.kind(timeout=LONG))
        arrange(w, SOCKET_ROLES["datagram"].state("connected").facts)
        w.peer.close()
        w.subject.send(MESSAGE)
        if state == "send_shut":
            w.subject.shut_down("sends")
        fails(ConnectionRefusedError, _receive, w, call)

    return {
        "ok": message,
        "pending": lambda w: _without_data(w, call, 0, BlockingIOError),
        "timed_out": lambda w: _without_data(w, call, TICK, TimeoutError),
        "failed": truncated,
        "refused": refused,
    }


DATAGRAM: dict[str, dict[str, Provocation]] = {
    **COMMON,
    "attach": _attaching(SOCKET_ROLES["datagram"]),
    "connect": {
        "ok": lambda w: w.subject.connect(HOST, unused_port(socket.SOCK_DGRAM)),
        "failed": lambda w: fails(OSError, w.subject.connect, "255.255.255.255", 9),  # a broadcast: not allowed, or no way
    },
    "disconnect": {"ok": lambda w: w.subject.disconnect()},
    "send": {
        "ok": lambda w: _expect(w.subject.send(MESSAGE), len(MESSAGE)),
        "pending": lambda w: _send_message_in_vain(w, 0, BlockingIOError),
        "timed_out": lambda w: _send_message_in_vain(w, TICK, TimeoutError),
        "refused": _send_to_gone_peer,
        "failed": lambda w: fails(OSError, w.subject.send, TOO_LONG),
    },
    "send_to": {
        "ok": _send_to_somebody,
        "pending": lambda w: _send_to_in_vain(w, 0, BlockingIOError),
        "timed_out": lambda w: _send_to_in_vain(w, TICK, TimeoutError),
        "failed": lambda w: fails(OSError, w.subject.send_to, TOO_LONG, HOST, unused_port(socket.SOCK_DGRAM)),
    },
    "send_handles": SENDING_HANDLES | {"refused": _send_handles_to_gone_peer},
    "receive_handles": {
        **{outcome: RECEIVING_HANDLES[outcome] for outcome in ("ok", "pending", "timed_out", "failed")},
        "refused": _receive_handles_after_refusal,
    },
    "receive": _receiving_messages("receive"),
    "receive_from": _receiving_messages("receive_from"),
    "shut_down": {how: _shut_down(how) for how in ("sends", "receives", "both")},
    "get_peer_name": {"ok": lambda w: w.subject.get_peer_name()},
}

PROVOKE: dict[str, dict[str, dict[str, Provocation]]] = {
    "server": STREAM,
    "client": STREAM,
    "accepted": STREAM,
    "datagram": DATAGRAM,
}
