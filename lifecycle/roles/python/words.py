"""The standard library's names for sockets: its methods as calls, with their outcomes and the calls of the tables they make."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lifecycle.engine import INTERRUPTED, STANDARD_OUTCOMES, Call, Kind, Outcome
from lifecycle.roles import words
from lifecycle.roles.words import SHUT_DOWN_CHOICES

METHODS: Mapping[str, tuple[str, ...]] = {
    words.BIND.name: ("bind",),
    words.LISTEN.name: ("listen",),
    words.ACCEPT.name: ("accept",),
    words.CONNECT.name: ("connect", "connect_ex"),
    words.FINISH_CONNECT.name: ("connect", "connect_ex"),
    words.SEND.name: ("send", "sendall", "sendmsg", "sendfile"),
    words.SEND_TO.name: ("sendto",),
    words.RECEIVE.name: ("recv", "recv_into", "recvmsg", "recvmsg_into"),
    words.RECEIVE_FROM.name: ("recvfrom", "recvfrom_into"),
    words.SHUT_DOWN.name: ("shutdown",),
    words.GET_SOCK_NAME.name: ("getsockname",),
    words.GET_PEER_NAME.name: ("getpeername",),
    words.SET_OPTION.name: ("setsockopt",),
    words.GET_OPTION.name: ("getsockopt",),
    words.DETACH.name: ("detach",),
    words.CLOSE.name: ("close",),
}
"""the package's call -> the methods that make it; a text uses the first"""

PACKAGE_CALLS: Mapping[str, str] = {
    method: call for call, methods in METHODS.items() if call != words.FINISH_CONNECT.name for method in methods
}
"""method -> the package's call that it makes"""

SENDING = (*METHODS[words.SEND.name], *METHODS[words.SEND_TO.name])
RECEIVING = (*METHODS[words.RECEIVE.name], *METHODS[words.RECEIVE_FROM.name])
CONNECTING = METHODS[words.CONNECT.name]
FREQUENT = tuple(method for method in (*RECEIVING, *SENDING) if method not in ("recvmsg_into", "sendfile"))

OF_A_HANDLE = ("makefile", "dup", "settimeout", "setblocking", "fileno")
"""the methods that Python adds, which are legal while the object has a socket"""

OF_A_CLOSED_OBJECT = ("fileno", "detach", "close")
"""the methods that are legal even when the object is closed: fileno() and detach() return -1 then"""

WITH_ADDRESS: Mapping[str, str] = {"sendmsg": "sendto"}
"""method -> the method whose row applies when it is given an address"""

SHOWN = frozenset({"getsockname", "getpeername"})
"""the methods that repr() of a socket calls"""

QUESTIONS = frozenset({"getsockname", "getpeername", "getsockopt", "shutdown"})
"""the methods that a careful library calls in any state, inside a `try`: an error is a valid answer"""

UNNOTED = frozenset({"getsockname", "getpeername", "getsockopt", "setsockopt"})
"""the methods that are not noted where they are legal and change nothing, unless every call is kept"""

TELLS_RESULT = frozenset({"getsockopt"})
"""the method among them that may tell the result of a connect"""

OF_A_LOOP: Mapping[str, str] = {
    f"sock_{name}": name
    for name in ("accept", "connect", "recv", "recv_into", "recvfrom", "recvfrom_into", "sendall", "sendfile", "sendto")
}
"""method of asyncio's loops -> the method that it calls of the socket that it is given first"""

FAREWELL = "shutdown"
"""the method among them that ends a conversation"""

TAKES_PART = frozenset({"send", "sendmsg"})
"""the methods that may send a part of the data, and return how much"""

SENDS_ONE = "send"
"""the method among them that is given one piece of data; the other is given a list"""

ENDING = re.compile(
    "lose|exit|stop|shut|quit|logout|abort|terminate|kill|disconnect|hang_?up|dispose|destroy|clea[nr]|tear_?down|__del__",
    re.IGNORECASE,
)
"""found in the name of a library's function by which a program asks for a close: aclose(), loseConnection(), __exit__()"""

SETS_OPTION = METHODS[words.SET_OPTION.name][0]

ENDS_OF_A_LOOP = 100
"""how many times in a row a line may receive the end of the stream before it is a loop that ignores it"""

KEEPS_DESCRIPTOR = frozenset({"sendfile"})
"""the methods that continue with the number of the descriptor, which may belong to another socket by then"""

NOT_WOKEN = "close() does not wake a call that waits (on Linux), and the descriptor may soon be another socket's"

RETURNS_ERROR = frozenset({"connect_ex"})
"""the methods that return the number of an error"""

CALLS = (
    Call("bind", "Give the socket its local address."),
    Call("listen", "Let connections queue up."),
    Call("accept", "Take the first queued connection, or wait for one."),
    Call("connect", "Connect, or get the result of a connect; for a datagram socket, set the peer."),
    Call("connect_ex", "The same; returns the number of an error."),
    Call("send", "Send some of the data.", payload="data"),
    Call("sendall", "Send all of the data.", payload="data"),
    Call("sendmsg", "Send from several buffers, with ancillary data; with an address it is a sendto().", payload="data"),
    Call("sendfile", "Send a file."),
    Call("sendto", "Send a message to an address; a connected stream ignores the address.", payload="data"),
    Call("recv", "Receive the data that has arrived, or wait for some; b'' from a stream is its end.", payload="result"),
    Call("recv_into", "The same, into a buffer.", payload="buffer"),
    Call("recvmsg", "The same, with ancillary data.", payload="result"),
    Call("recvmsg_into", "The same, into several buffers.", payload="buffers"),
    Call("recvfrom", "Receive, together with the sender's address.", payload="result"),
    Call("recvfrom_into", "The same, into a buffer.", payload="buffer"),
    Call("shutdown", "End one direction, or both, without closing."),
    Call("makefile", "Make a file over the socket."),
    Call("dup", "Make a second object over the same socket of the system."),
    Call("getsockname", "The local address."),
    Call("getpeername", "The peer's address.", reason="There is no peer"),
    Call("setsockopt", "Set a socket option."),
    Call("getsockopt", "Read a socket option."),
    Call("settimeout", "Set how long calls wait."),
    Call("setblocking", "Set whether calls wait."),
    Call("fileno", "The descriptor; a program that waits with select() and the like asks for it."),
    Call("detach", "Hand the descriptor out and end the object; the connection lives on."),
    Call("close", "Close the socket and end the object; closing again does nothing."),
)  # fmt: skip

WATCHED = Outcome("watched", "It goes on, and the program has the descriptor, so that it may wait for it.", Kind.WAITING)
ASKED = Outcome("asked", "SO_ERROR was read, and was 0.", Kind.WAITING)
CONFIRMED = Outcome("confirmed", "SO_ERROR was read, was 0, and there is a peer.", Kind.WAITING)

OUTCOMES = (*STANDARD_OUTCOMES, INTERRUPTED, *SHUT_DOWN_CHOICES, WATCHED, ASKED, CONFIRMED)

CONNECT_ERRORS: Mapping[str, tuple[str, ...]] = {
    "pending": ("EINPROGRESS", "EALREADY", "EWOULDBLOCK", "EAGAIN"),
    "ok": ("EISCONN",),
}
"""what connect() reports by an error when it is called again to learn the result: outcome -> errors"""

ORDER_ERRORS = (
    "EBADF", "EINVAL", "ENOTCONN", "EISCONN", "EPIPE", "EDESTADDRREQ", "EOPNOTSUPP", "EALREADY", "ESHUTDOWN", "ECONNABORTED",
    "ENOTSOCK",
)  # fmt: skip
"""the errors that the state of a socket explains; others come from the network, or from the arguments"""

CLOSED_ERRORS = ("EBADF", "ENOTSOCK")
"""the errors of a call whose descriptor is gone"""
