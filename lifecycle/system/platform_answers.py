"""What real systems would have answered to a call that a role forbids: the roles' names set beside the matrices' names."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lifecycle.roles import ACCEPTED, CLIENT, DATAGRAM, SERVER, words
from lifecycle.roles.facts import BOUND, BROKEN, LINKED, LISTENING, NEW, OPEN, OVER, PEER, SEEKING, Facts, Receives
from lifecycle.system.matrices import linux, winsock


@dataclass(frozen=True, slots=True)
class Named:
    """What the two matrices call one thing; None where a matrix does not have it."""

    linux: str | None
    winsock: str | None


SEND_SHUT, RECEIVE_SHUT = replace(LINKED, sends=False), replace(LINKED, receives=Receives.OFF)
SHUT, PEER_CLOSED = replace(SEND_SHUT, receives=Receives.OFF), replace(LINKED, receives=Receives.EOF)

NAMES: Mapping[Facts, Named] = {
    NEW: Named("nofd", "new"),
    OPEN: Named("created", "created"),
    BOUND: Named("bound", "bound"),
    LISTENING: Named("listening", "listening"),
    SEEKING: Named("connecting", "connecting"),
    LINKED: Named("accepted", "connected"),
    SEND_SHUT: Named("send_shut", "send-shut"),
    RECEIVE_SHUT: Named("recv_shut", "recv-shut"),
    PEER_CLOSED: Named("peer_closed_eof_read", "peer-closed"),
    SHUT: Named("both_shut", "both-shut"),
    BROKEN: Named("reset_fetched", "reset-seen"),
    OVER: Named("closed", "closed"),
}
"""the facts of a socket -> what the matrices call it; neither has a stream that has ended on both sides"""


def _named(role: str, at: Facts) -> Named:
    """What the matrices call a socket of this role with these facts."""
    if at == PEER:
        return Named("connected", "connected")
    name = NAMES.get(replace(at, link=LINKED.link) if at.link is PEER.link else at, Named(None, None))
    return Named(name.linux, "accepted") if role == ACCEPTED.name and at == LINKED else name


STATES: Mapping[str, Mapping[str, Named]] = {
    role.name: {state.name: _named(role.name, state.facts) for state in role.states}
    for role in (SERVER, CLIENT, ACCEPTED, DATAGRAM)
}
"""role -> state -> what the matrices call that state"""

_STREAM = Named("stream", "tcp")
KINDS = {SERVER.name: _STREAM, CLIENT.name: _STREAM, ACCEPTED.name: _STREAM, DATAGRAM.name: Named("dgram", "udp")}
"""role -> what the matrices call its kind of socket"""

COLLECTED = {("peer_closed_eof_read", "connect"): "EISCONN"}
"""Linux cells of a connection whose connect() has told its result.

The matrix made its connections without waiting, and the connect() that it measured there collected the first one's result,
which is "ok" and no second connection. For the same reason `connected` is looked up as "accepted".
"""

CALLS: Mapping[str, Named] = {
    words.BIND.name: Named("bind", "bind"),
    words.LISTEN.name: Named("listen", "listen"),
    words.ACCEPT.name: Named("accept", "accept"),
    words.CONNECT.name: Named("connect", "connect"),
    words.DISCONNECT.name: Named("disconnect_unspec", None),
    words.SEND.name: Named("send", "send"),
    words.RECEIVE.name: Named("recv", "recv"),
    words.SEND_TO.name: Named("sendto", "sendto"),
    words.RECEIVE_FROM.name: Named("recvfrom", "recvfrom"),
    words.SHUT_DOWN.name: Named("shutdown_wr", "shutdown(SD_SEND)"),
    words.GET_SOCK_NAME.name: Named("getsockname", "getsockname"),
    words.GET_PEER_NAME.name: Named("getpeername", "getpeername"),
    words.SET_OPTION.name: Named("setsockopt_reuseaddr", None),
    words.GET_OPTION.name: Named("so_error", None),
    words.CLOSE.name: Named("close", "closesocket"),
}
"""call -> what the matrices call it; a call that no system has (create, attach ...) is not there"""


def platform_answers(
    role: str, state: str, call: str, *, systems: tuple[str, ...] | None = None, family: str = "inet"
) -> dict[str, str]:
    """System -> "ok", "blocks" or the error's name, for the systems whose answer is known.

    family: that of the socket on Linux, "inet", "inet6" or "unix".
    systems: "winsock" and "linux" by default where this is Linux; elsewhere Winsock alone, since a system's answer is
    measured, never guessed.
    """
    if systems is None:
        systems = ("winsock", "linux") if sys.platform == "linux" else ("winsock",)
    known_state = STATES.get(role, {}).get(state)
    known_call = CALLS.get(call)
    if known_state is None or known_call is None:
        return {}
    kind = KINDS[role]
    cells = {
        "winsock": winsock().get((str(kind.winsock), str(known_state.winsock), str(known_call.winsock))),
        "linux": linux().get((family, str(kind.linux), str(known_state.linux), str(known_call.linux))),
    }
    found = {system: cell.answer for system in systems if (cell := cells[system]) is not None}
    if "linux" in found and kind.linux == "stream":
        found["linux"] = COLLECTED.get((str(known_state.linux), str(known_call.linux)), found["linux"])
    return found
