"""Makes a real call end in each of its outcomes. Together with the arrangements: evidence for every row of every table."""

from __future__ import annotations

import socket

from loopback import (
    HOST,
    unanswering_listener,
    unused_port,
)
from provocations.attempts import MESSAGE, NO_OPTION, TICK, TOO_LONG, Provocation, fails
from provocations.connections import (
    accept,
    accept_without_descriptors,
    be_accepted,
    cancelled,
    connect,
    connect_elsewhere,
    connect_in_vain,
    connect_to_nobody,
    connect_without_waiting,
    finish_connect,
    finish_in_vain,
    finish_refused,
    finish_without_waiting,
    impatient,
    lay_a_file_over,
)
from provocations.datagrams import (
    receive_handles_after_refusal,
    receiving_messages,
    send_handles_to_gone_peer,
    send_message_in_vain,
    send_to_gone_peer,
    send_to_in_vain,
    send_to_somebody,
)
from provocations.descriptors_passed import RECEIVING_HANDLES, SENDING_HANDLES
from provocations.handles import (
    attaching,
    bind_used_port,
    create_on_used_port,
    detach,
    listen_beside_a_listener,
    open_without_descriptors,
)
from provocations.stream_data import after_reset, expect, receiving, sending, shut_down
from provocations.tls import (
    cancel_the_stop,
    finish_tls,
    handshake_without_peer,
    refuse_the_handshake,
    reset_the_handshake,
    start_tls_as_the_other_side,
    start_tls_under_a_file,
    stop_after_reset,
    stop_in_vain,
)
from states import SOCKET_ROLES

COMMON: dict[str, dict[str, Provocation]] = {
    "create": {"ok": lambda w: w.subject.create(0, HOST), "failed": create_on_used_port},
    "open": {"ok": lambda w: w.subject.open(), "failed": open_without_descriptors},
    "bind": {"ok": lambda w: w.subject.bind(0, HOST), "failed": bind_used_port},
    "get_sock_name": {"ok": lambda w: w.subject.get_sock_name()},
    "set_option": {
        "ok": lambda w: w.subject.set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),
        "failed": lambda w: fails(OSError, w.subject.set_option, socket.SOL_SOCKET, NO_OPTION, 1),
    },
    "get_option": {
        "ok": lambda w: w.subject.get_option(socket.SO_RCVBUF),
        "failed": lambda w: fails(OSError, w.subject.get_option, NO_OPTION),
    },
    "io_ctl": {"ok": lambda w: expect(w.subject.io_ctl(), 0)},
    "attach": {**attaching(SOCKET_ROLES["client"]), **attaching(SOCKET_ROLES["server"], "listening")},
    "detach": {"ok": detach},
    "close": {"ok": lambda w: w.subject.close()},
}

STREAM: dict[str, dict[str, Provocation]] = {
    **COMMON,
    "accepted": {"ok": be_accepted},
    "socket_file": {"ok": lay_a_file_over},
    "listen": {"ok": lambda w: w.subject.listen(), "failed": listen_beside_a_listener},
    "accept": {
        "ok": accept,
        "pending": lambda w: impatient(w, 0, BlockingIOError),
        "timed_out": lambda w: impatient(w, TICK, TimeoutError),
        "failed": accept_without_descriptors,
    },
    "connect": {
        "ok": connect,
        "refused": connect_to_nobody,
        "pending": connect_without_waiting,
        "timed_out": connect_in_vain,
        "interrupted": lambda w: cancelled(w, w.subject.connect, *w.open(unanswering_listener())),
        "failed": connect_elsewhere,
    },
    "finish_connect": {
        "ok": finish_connect,
        "refused": finish_refused,
        "pending": finish_without_waiting,
        "timed_out": finish_in_vain,
        "interrupted": lambda w: cancelled(w, w.subject.finish_connect),
    },
    "send": sending("send"),
    "send_to": sending("send_to"),
    "receive": receiving("receive"),
    "receive_from": receiving("receive_from"),
    "send_handles": SENDING_HANDLES,
    "receive_handles": RECEIVING_HANDLES,
    "shut_down": {
        **{how: shut_down(how) for how in ("sends", "receives", "both")},
        "failed": after_reset("shut_down"),
        "broken": after_reset("shut_down"),
    },
    "get_peer_name": {"ok": lambda w: w.subject.get_peer_name(), "failed": after_reset("get_peer_name")},
    "start_tls": {
        "ok": lambda w: expect(w.secure().failure, None),
        "pending": lambda w: handshake_without_peer(w, 0, BlockingIOError),
        "timed_out": lambda w: handshake_without_peer(w, TICK, TimeoutError),
        "interrupted": lambda w: cancelled(w, w.subject.start_tls, w.context()),
        "refused": refuse_the_handshake,
        "broken": reset_the_handshake,
        "unread": start_tls_under_a_file,
        "failed": start_tls_as_the_other_side,
    },
    "finish_tls": {
        "ok": finish_tls,
        "pending": lambda w: handshake_without_peer(w, 0, BlockingIOError),
        "timed_out": lambda w: handshake_without_peer(w, TICK, TimeoutError),
        "interrupted": lambda w: cancelled(w, w.subject.finish_tls),
        "refused": refuse_the_handshake,
        "broken": reset_the_handshake,
    },
    "stop_tls": {
        "ok": lambda w: expect(w.subject.stop_tls(), None),
        "pending": lambda w: stop_in_vain(w, 0, BlockingIOError),
        "timed_out": lambda w: stop_in_vain(w, TICK, TimeoutError),
        "failed": cancel_the_stop,
        "broken": stop_after_reset,
    },
    "get_tls": {"ok": lambda w: expect(w.subject.get_tls().alpn_protocol, None)},
}

DATAGRAM: dict[str, dict[str, Provocation]] = {
    **COMMON,
    "attach": attaching(SOCKET_ROLES["datagram"]),
    "connect": {
        "ok": lambda w: w.subject.connect(HOST, unused_port(socket.SOCK_DGRAM)),
        "failed": lambda w: fails(OSError, w.subject.connect, "255.255.255.255", 9),  # a broadcast: not allowed, or no way
    },
    "disconnect": {"ok": lambda w: w.subject.disconnect()},
    "send": {
        "ok": lambda w: expect(w.subject.send(MESSAGE), len(MESSAGE)),
        "pending": lambda w: send_message_in_vain(w, 0, BlockingIOError),
        "timed_out": lambda w: send_message_in_vain(w, TICK, TimeoutError),
        "refused": send_to_gone_peer,
        "failed": lambda w: fails(OSError, w.subject.send, TOO_LONG),
    },
    "send_to": {
        "ok": send_to_somebody,
        "pending": lambda w: send_to_in_vain(w, 0, BlockingIOError),
        "timed_out": lambda w: send_to_in_vain(w, TICK, TimeoutError),
        "failed": lambda w: fails(OSError, w.subject.send_to, TOO_LONG, HOST, unused_port(socket.SOCK_DGRAM)),
    },
    "send_handles": SENDING_HANDLES | {"refused": send_handles_to_gone_peer},
    "receive_handles": {
        **{outcome: RECEIVING_HANDLES[outcome] for outcome in ("ok", "pending", "timed_out", "failed")},
        "refused": receive_handles_after_refusal,
    },
    "receive": receiving_messages("receive"),
    "receive_from": receiving_messages("receive_from"),
    "shut_down": {how: shut_down(how) for how in ("sends", "receives", "both")},
    "get_peer_name": {"ok": lambda w: w.subject.get_peer_name()},
}

PROVOKE: dict[str, dict[str, dict[str, Provocation]]] = {
    "server": STREAM,
    "client": STREAM,
    "accepted": STREAM,
    "datagram": DATAGRAM,
}
