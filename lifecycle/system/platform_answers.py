"""The answers of real systems to calls that a role forbids, by mapping the roles' names to the matrices' names.

Every answer has a mark: measured, documented (with its source), or unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lifecycle.roles import ACCEPTED, CLIENT, DATAGRAM, ROLES, SERVER, words
from lifecycle.roles.facts import BOUND, BROKEN, LINKED, LISTENING, NEW, OPEN, OVER, PEER, SEEKING, Facts, Receives
from lifecycle.system import refusals
from lifecycle.system.matrices import Cell, Mark, documented, linux, mfc, winsock


@dataclass(frozen=True, slots=True)
class Named:
    """The names of one thing in the two matrices; None if a matrix does not have it."""

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
"""the facts of a socket -> its names in the matrices; neither has a stream that has ended on both sides"""


def _named(role: str, at: Facts) -> Named:
    """The names in the matrices of a socket of this role with these facts."""
    if at == PEER:
        return Named("connected", "connected")
    name = NAMES.get(replace(at, link=LINKED.link) if at.link is PEER.link else at, Named(None, None))
    return Named(name.linux, "accepted") if role == ACCEPTED.name and at == LINKED else name


STATES: Mapping[str, Mapping[str, Named]] = {
    role.name: {state.name: _named(role.name, state.facts) for state in role.states}
    for role in (SERVER, CLIENT, ACCEPTED, DATAGRAM)
}
"""role -> state -> the names of that state in the matrices"""

_STREAM = Named("stream", "tcp")
KINDS = {SERVER.name: _STREAM, CLIENT.name: _STREAM, ACCEPTED.name: _STREAM, DATAGRAM.name: Named("dgram", "udp")}
"""role -> the names of its kind of socket in the matrices"""

COLLECTED = {("peer_closed_eof_read", "connect"): "EISCONN"}
"""Linux cells of a connection whose connect() has reported its result.

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
"""call -> its names in the matrices; calls that no system has (create, attach ...) are missing"""


MFC_STATES: Mapping[Facts, str] = {
    NEW: "empty",
    OPEN: "open",
    BOUND: "bound",
    LISTENING: "listening",
    SEEKING: "connecting",
    LINKED: "connected",
    SEND_SHUT: "shut sends",
    RECEIVE_SHUT: "shut receives",
    PEER_CLOSED: "peer closed",
    SHUT: "shut both",
    BROKEN: "reset",
    OVER: "closed",
}
"""the facts of a socket -> their name in MFC's matrix; datagrams have a prefix"""

MFC_DATAGRAMS = ("open", "bound", "connected", "shut sends", "shut receives", "shut both")

MFC_CALLS: Mapping[str, str] = {
    words.CREATE.name: "create",
    words.OPEN_.name: "socket",
    words.BIND.name: "bind",
    words.LISTEN.name: "listen",
    words.ACCEPT.name: "accept",
    words.ACCEPTED.name: "as accept's target",
    words.CONNECT.name: "connect",
    words.SOCKET_FILE.name: "CSocketFile",
    words.SEND.name: "send",
    words.RECEIVE.name: "receive",
    words.SEND_TO.name: "sendto",
    words.RECEIVE_FROM.name: "receivefrom",
    words.SHUT_DOWN.name: "shutdown(sends)",
    words.GET_SOCK_NAME.name: "getsockname",
    words.GET_PEER_NAME.name: "getpeername",
    words.SET_OPTION.name: "setopt(SO_REUSEADDR)",
    words.GET_OPTION.name: "getopt(SO_TYPE)",
    words.IO_CTL.name: "ioctl(FIONREAD)",
    words.DETACH.name: "detach",
    words.CLOSE.name: "close",
}
"""call -> its name in MFC's matrix"""

SYSTEMS = ("winsock", "linux", "mfc", "macos", "freebsd")
"""The known platforms: two measured systems, MFC's release builds, and two documented systems."""

UNKNOWN = Cell("inet", "", "", "", "", "", Mark.UNKNOWN)


def _mfc_cell(role: str, state: str, call: str) -> Cell | None:
    """The answer of MFC's CSocket, or of CAsyncSocket if only that has the state (a CSocket waits while it connects)."""
    facts = ROLES[role].state(state).facts
    if facts == PEER:
        name = "datagram connected"
    else:
        name = MFC_STATES.get(replace(facts, link=LINKED.link) if facts.link is PEER.link else facts, "")
        if role == DATAGRAM.name and name in MFC_DATAGRAMS:
            name = f"datagram {name}"
        if role == ACCEPTED.name and facts == LINKED:
            name = "accepted"
    known = MFC_CALLS.get(call, "")
    return mfc().get(("CSocket", name, known)) or mfc().get(("CAsyncSocket", name, known))


def platform_cells(
    role: str, state: str, call: str, *, systems: tuple[str, ...] = SYSTEMS, family: str = "inet"
) -> dict[str, Cell]:
    """System -> its answer to a call of a role's object in a state, with its source and the kind of evidence.

    Every system of `systems` is included: a cell that is neither measured nor documented has the mark UNKNOWN.
    family: that of the socket on Linux, "inet", "inet6" or "unix".
    """
    found = dict.fromkeys(systems, UNKNOWN)
    known_state = STATES.get(role, {}).get(state)
    if known_state is None:
        return found
    known_call, kind = CALLS.get(call, Named(None, None)), KINDS[role]
    here = str(kind.linux), str(known_state.linux), str(known_call.linux)
    cells = {
        "winsock": winsock().get((str(kind.winsock), str(known_state.winsock), str(known_call.winsock))),
        "linux": linux().get((family, *here)),
        "mfc": _mfc_cell(role, state, call) if "mfc" in systems else None,
        "macos": documented().get(("macos", *here)) if "macos" in systems else None,
        "freebsd": documented().get(("freebsd", *here)) if "freebsd" in systems else None,
    }
    for system in systems:
        cell = cells[system]
        if cell is not None:
            found[system] = cell
    if "linux" in found and kind.linux == "stream" and here[1:] in COLLECTED:
        found["linux"] = replace(found["linux"], answer=COLLECTED[here[1:]])
    return found


def platform_answers(
    role: str, state: str, call: str, *, systems: tuple[str, ...] | None = None, family: str = "inet"
) -> dict[str, str]:
    """System -> "ok", "blocks" or the error's name, for the systems whose answer is known.

    family: that of the socket on Linux, "inet", "inet6" or "unix".
    systems: by default Winsock and this system, if something is known of it; an answer is measured or
    documented, never guessed.
    """
    if systems is None:
        systems = refusals.systems_here()
    cells = platform_cells(role, state, call, systems=systems, family=family)
    return {system: _answer(cell) for system, cell in cells.items() if cell.mark is not Mark.UNKNOWN}


def _answer(cell: Cell) -> str:
    """With the names of Linux's matrix; further effects of MFC follow its answer."""
    if cell.note:
        return f"{cell.answer}: {cell.note}"
    return "ok" if cell.answer in ("TRUE", "a handle") or cell.answer.endswith(" bytes") else cell.answer


def answers_text() -> str:
    """The required content of answers.txt."""
    lines = []
    for role in ROLES.values():
        for state in role.states:
            for call in role.illegal(state.name):
                answers = platform_answers(role.name, state.name, call, systems=refusals.SYSTEMS)
                if answers:
                    words = (answers.get(system, refusals.UNKNOWN) for system in refusals.SYSTEMS)
                    lines.append(" ".join((role.name, state.name, call, *words)))
    return "\n".join(lines) + "\n"
