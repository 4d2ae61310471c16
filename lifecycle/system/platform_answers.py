"""What real systems would have answered to a call that a role forbids: the roles' names set beside the matrices' names."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from lifecycle.system.matrices import linux, winsock


@dataclass(frozen=True, slots=True)
class Named:
    """What the two matrices call one thing; None where a matrix does not have it."""

    linux: str | None
    winsock: str | None


_STREAM_STATES = {
    "empty": Named("nofd", "new"),
    "open": Named("created", "created"),
    "bound": Named("bound", "bound"),
    "listening": Named("listening", "listening"),
    "connecting": Named("connecting", "connecting"),
    "connected": Named("accepted", "connected"),
    "send_shut": Named("send_shut", "send-shut"),
    "receive_shut": Named("recv_shut", "recv-shut"),
    "peer_closed": Named("peer_closed_eof_read", "peer-closed"),
    "ended": Named(None, None),
    "shut": Named("both_shut", "both-shut"),
    "broken": Named("reset_fetched", "reset-seen"),
    "closed": Named("closed", "closed"),
}

STATES: Mapping[str, Mapping[str, Named]] = {
    "server": _STREAM_STATES,
    "client": _STREAM_STATES,
    "accepted": {**_STREAM_STATES, "connected": Named("accepted", "accepted")},
    "datagram": {
        **{state: _STREAM_STATES[state] for state in ("empty", "open", "bound", "send_shut", "receive_shut", "shut", "closed")},
        "connected": Named("connected", "connected"),
    },
}
"""role -> state -> what the matrices call that state"""

KINDS = {"server": Named("stream", "tcp"), "client": Named("stream", "tcp"), "accepted": Named("stream", "tcp"),
         "datagram": Named("dgram", "udp")}  # fmt: skip
"""role -> what the matrices call its kind of socket"""

COLLECTED = {("peer_closed_eof_read", "connect"): "EISCONN"}
"""Linux cells of a connection whose connect() has told its result.

The matrix made its connections without waiting, and the connect() that it measured there collected the first one's result,
which is "ok" and no second connection. For the same reason `connected` is looked up as "accepted".
"""

CALLS: Mapping[str, Named] = {
    "bind": Named("bind", "bind"),
    "listen": Named("listen", "listen"),
    "accept": Named("accept", "accept"),
    "connect": Named("connect", "connect"),
    "disconnect": Named("disconnect_unspec", None),
    "send": Named("send", "send"),
    "receive": Named("recv", "recv"),
    "send_to": Named("sendto", "sendto"),
    "receive_from": Named("recvfrom", "recvfrom"),
    "shut_down": Named("shutdown_wr", "shutdown(SD_SEND)"),
    "get_sock_name": Named("getsockname", "getsockname"),
    "get_peer_name": Named("getpeername", "getpeername"),
    "set_option": Named("setsockopt_reuseaddr", None),
    "get_option": Named("so_error", None),
    "close": Named("close", "closesocket"),
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
