"""What the tables are compared with: the rows that real sockets show, and what every other cell has to be.

MOVES states, independently of the tables, which (state, call, outcome) changes the state and to what; whatever is not in it
keeps the state. EXCEPTIONS names the cells where the tables depart from "legal is what both measured systems take", and why.
"""

from __future__ import annotations

import socket
from contextlib import suppress

from loopback import HOST
from provocations.tables import PROVOKE
from states import DATA_PHASE, STATES, TLS_PHASE, world

from lifecycle import ROLES, Journal
from lifecycle.engine import Role
from lifecycle.system.handles import borrowed, facts_of
from lifecycle.system.platform_answers import platform_answers

Cell = tuple[str, str, str]
"""(state, call, outcome)"""

_STREAM_MOVES = {
    **{("connected", call, "eof"): "peer_closed" for call in ("receive", "receive_from", "receive_handles")},
    **{("send_shut", call, "eof"): "ended" for call in ("receive", "receive_from", "receive_handles")},
    ("connected", "shut_down", "sends"): "send_shut",
    ("connected", "shut_down", "receives"): "receive_shut",
    ("connected", "shut_down", "both"): "shut",
    ("send_shut", "shut_down", "receives"): "shut",
    ("send_shut", "shut_down", "both"): "shut",
    ("receive_shut", "shut_down", "sends"): "shut",
    ("receive_shut", "shut_down", "both"): "shut",
    ("peer_closed", "shut_down", "sends"): "ended",
    ("peer_closed", "shut_down", "receives"): "receive_shut",
    ("peer_closed", "shut_down", "both"): "shut",
    **{
        (state, call, "broken"): "broken"
        for state in DATA_PHASE + TLS_PHASE
        for call in (
            "send",
            "send_to",
            "receive",
            "receive_from",
            "send_handles",
            "receive_handles",
            "shut_down",
            "stop_tls",
            "start_tls",
            "finish_tls",
        )
    },
    ("connected", "start_tls", "ok"): "secured",
    ("handshaking", "finish_tls", "ok"): "secured",
    **{("connected", "start_tls", outcome): "handshaking" for outcome in ("pending", "timed_out", "interrupted")},
    ("connected", "start_tls", "refused"): "broken",
    ("handshaking", "finish_tls", "refused"): "broken",
    ("secured", "shut_down", "sends"): "secured_send_shut",
    ("secured_peer_closed", "shut_down", "sends"): "secured_ended",
    ("secured_ended", "stop_tls", "ok"): "connected",
    **{("secured", call, "eof"): "secured_peer_closed" for call in ("receive", "receive_from")},
    **{("secured_send_shut", call, "eof"): "secured_ended" for call in ("receive", "receive_from")},
    **{(state, call, "truncated"): "truncated" for state in TLS_PHASE for call in ("receive", "receive_from")},
}

_CREATION_MOVES = {
    ("empty", "create", "ok"): "bound",
    ("empty", "open", "ok"): "open",
    ("open", "bind", "ok"): "bound",
}

MOVES: dict[str, dict[Cell, str]] = {
    "server": {**_CREATION_MOVES, ("bound", "listen", "ok"): "listening"},
    "client": {
        **_CREATION_MOVES,
        **_STREAM_MOVES,
        ("open", "connect", "ok"): "connected",
        ("open", "connect", "pending"): "connecting",
        ("open", "connect", "timed_out"): "connecting",
        ("open", "connect", "interrupted"): "connecting",
        ("bound", "connect", "ok"): "connected",
        ("bound", "connect", "pending"): "connecting",
        ("bound", "connect", "timed_out"): "connecting",
        ("bound", "connect", "interrupted"): "connecting",
        ("connecting", "finish_connect", "ok"): "connected",
        ("connecting", "finish_connect", "refused"): "bound",
    },
    "accepted": {**_STREAM_MOVES, ("empty", "accepted", "ok"): "connected"},
    "datagram": {
        **_CREATION_MOVES,
        ("open", "connect", "ok"): "connected",
        ("open", "connect", "failed"): "bound",
        ("open", "send_to", "ok"): "bound",
        ("open", "send_to", "failed"): "bound",
        ("bound", "connect", "ok"): "connected",
        ("connected", "disconnect", "ok"): "bound",
        ("connected", "shut_down", "sends"): "send_shut",
        ("connected", "shut_down", "receives"): "receive_shut",
        ("connected", "shut_down", "both"): "shut",
        ("send_shut", "shut_down", "receives"): "shut",
        ("send_shut", "shut_down", "both"): "shut",
        ("receive_shut", "shut_down", "sends"): "shut",
        ("receive_shut", "shut_down", "both"): "shut",
    },
}

KERNEL_STATES: dict[str, frozenset[str]] = {
    "open": frozenset({"open"}),
    "bound": frozenset({"bound", "ended"}),
    "listening": frozenset({"listening"}),
    "connecting": frozenset({"connecting", "connected", "bound", "ended", "broken"}),
    "connected": frozenset({"connected", "broken", "ended"}),
    "send_shut": frozenset({"send_shut", "broken", "ended"}),
    "receive_shut": frozenset({"receive_shut", "peer_closed", "broken", "ended"}),
    "peer_closed": frozenset({"peer_closed", "broken", "ended"}),
    "ended": frozenset({"ended"}),
    "shut": frozenset({"shut", "ended", "broken"}),
    **{state: frozenset({"connected", "broken", "peer_closed", "ended"}) for state in TLS_PHASE},
    "broken": frozenset({"broken", "ended", "connected", "peer_closed"}),
}
"""What the system may say of a stream in each state: a reset that no call has seen yet shows here and not in the object."""


ARGUMENTS: dict[str, tuple[object, ...]] = {
    "connect": (HOST, 9),
    "send": (b"data",),
    "send_to": (b"data", HOST, 9),
    "send_handles": (b"data", ()),
    "set_option": (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    "get_option": (socket.SO_TYPE,),
    "attach": (0,),
    "start_tls": (None,),
}
"""Sound arguments for a call that is made to see it refused."""


def expected_state(role: str, cell: Cell) -> str:
    """Where a row leads, said without looking at the table."""
    state, call, outcome = cell
    if call in ("close", "detach"):
        return "closed"
    if call == "attach" and outcome != "failed":
        return outcome
    return MOVES[role].get(cell, state)


def evidence(role: Role, cell: Cell) -> set[tuple[str, str, str, str]]:
    """Make the row happen on real sockets: it ends as the row says, leads where it should, and the system agrees.

    Gives the (role, state, call, outcome) that a journal has seen on the way.
    """
    state, call, outcome = cell
    with world(role, state) as w, Journal() as journal:
        PROVOKE[role.name][call][outcome](w)
        reached = [(r.state, r.call, r.outcome, r.next_state) for r in journal.records if r.role == role.name]
        wanted = expected_state(role.name, cell)
        assert (*cell, wanted) in reached, f"reached {reached[-3:]}"
        assert w.subject.state == wanted
        assert_kernel_agrees(w.subject, role.name)
        return journal.cells()


def assert_kernel_agrees(subject: object, role: str) -> None:
    """The system's socket may be in the state that the object reports. Looks, and so fetches pending errors."""
    state: str = subject.state  # type: ignore[attr-defined]
    number: int = subject.fileno()  # type: ignore[attr-defined]
    assert (number == -1) == (state in ("empty", "closed")), f"{state} with descriptor {number}"
    if number == -1 or (role == "datagram" and state.endswith("shut")):
        return
    with borrowed(number) as twin:
        if twin.family == getattr(socket, "AF_UNIX", None):
            return  # nothing tells that its sends were shut down, or that its peer is gone
        twin.setblocking(False)
        found = ROLES[role].state_of(facts_of(twin))
    if (role, state, found) == ("client", "open", "bound"):
        return  # after a refused connect Linux still reports the port that it chose, which it has released
    assert found in KERNEL_STATES[state], f"the object is {state!r}, the system's socket {found!r}"


WITHOUT_OCCASION: dict[Cell, str] = {
    ("listening", "listen", "failed"): "no other socket can listen on the port while this one does",
    ("bound", "receive", "refused"): "without a peer there is nothing to report",
    ("bound", "receive_from", "refused"): "as receive",
    ("bound", "receive_handles", "refused"): "as receive",
}
"""Endings for which the occasion cannot even be made, and why."""


def ending_is_listed(role: Role, cell: Cell) -> None:
    """An ending that the table does not list for a legal call must not be one that real sockets have."""
    state, call, outcome = cell
    with world(role, state) as w, Journal() as journal:
        with suppress(AssertionError, OSError, ValueError):  # as it should be: it cannot be provoked
            PROVOKE[role.name][call][outcome](w)
        reached = {(r.state, r.call, r.outcome) for r in journal.records if r.role == role.name}
        made = any((r.state, r.call) == (state, call) for r in journal.records)
        assert made or cell in WITHOUT_OCCASION, "the call was never made"
        assert cell not in reached, "real sockets end so, and the table does not list it"


WITH_A_SOCKET: dict[str, tuple[str, ...]] = {
    role: tuple(state for state in states if state not in ("empty", "closed")) for role, states in STATES.items()
}

DECIDED: dict[str, dict[str, tuple[str, ...]]] = {
    role: {
        "create": () if role == "accepted" else ("empty",),
        "open": () if role == "accepted" else ("empty",),
        "attach": ("empty",),
        "detach": tuple(state for state in WITH_A_SOCKET[role] if state not in TLS_PHASE),
        "close": STATES[role],
        "finish_connect": ("connecting",) if role == "client" else (),
        "accepted": ("empty",) if role == "accepted" else (),
        "socket_file": (
            (*(state for state in DATA_PHASE if state != "shut"), "secured", "secured_send_shut", "secured_peer_closed")
            if role in ("client", "accepted")
            else ()
        ),
        "start_tls": ("connected",),
        "finish_tls": ("handshaking",),
        "stop_tls": ("secured_ended",),
        "get_tls": ("secured", "secured_send_shut", "secured_peer_closed", "secured_ended"),
        "io_ctl": {
            "server": (),
            "client": ("connected", "send_shut", "peer_closed"),
            "accepted": ("connected", "send_shut", "peer_closed"),
            "datagram": ("bound", "connected", "send_shut"),
        }[role],
        "send_handles": {
            "server": (),
            "client": ("connected", "receive_shut", "peer_closed"),
            "accepted": ("connected", "receive_shut", "peer_closed"),
            "datagram": ("connected", "receive_shut"),
        }[role],
        "receive_handles": {
            "server": (),
            "client": ("connected", "send_shut", "peer_closed", "ended", "broken"),
            "accepted": ("connected", "send_shut", "peer_closed", "ended", "broken"),
            "datagram": ("bound", "connected", "send_shut"),
        }[role],
        "set_option": WITH_A_SOCKET[role],
        "get_option": WITH_A_SOCKET[role],
        "disconnect": ("connected",) if role == "datagram" else (),
    }
    for role in STATES
}
"""call -> the states in which it is legal, for the calls that no matrix has, or that the design decides."""

OVER_TLS: dict[str, tuple[str, ...]] = {
    "send": ("secured", "secured_peer_closed"),
    "send_to": ("secured", "secured_peer_closed"),
    "receive": TLS_PHASE[1:],
    "receive_from": TLS_PHASE[1:],
    "shut_down": ("secured", "secured_send_shut", "secured_peer_closed"),
    "get_sock_name": TLS_PHASE,
    "get_peer_name": TLS_PHASE,
}
"""call -> the states of TLS in which it is legal: the systems' matrices have none of them."""

EXCEPTIONS: dict[Cell, str] = {
    # (role or "stream", state, call): why the table is not simply what both systems take
    ("server", "open", "connect"): "the same socket of the system could connect; the role of a server cannot",
    ("server", "bound", "connect"): "as in open",
    ("client", "bound", "listen"): "the same socket of the system could listen; the role of a client cannot",
    ("stream", "broken", "receive"): "Winsock reports the reset again, and so do we: the outcome is `broken`",
    ("stream", "broken", "receive_from"): "as receive",
    ("stream", "ended", "receive"): "no matrix has the state; the end of the stream is reported again",
    ("stream", "ended", "receive_from"): "as receive",
    ("stream", "ended", "get_sock_name"): "no matrix has the state; the local address stays",
    ("datagram", "connected", "send_to"): "POSIX allows EISCONN, and the BSDs answer so",
    ("datagram", "receive_shut", "send_to"): "as in connected",
    ("datagram", "send_shut", "connect"): "MFC: do not expect to use a socket again that was shut down",
    ("datagram", "receive_shut", "connect"): "as in send_shut",
    ("datagram", "shut", "connect"): "as in send_shut",
}


def legality_is_portable(role: Role, state: str, call: str) -> None:
    """A call is legal where both measured systems take it, or where the design has decided; the exceptions are named."""
    is_legal = call in role.table[state]
    if call in DECIDED[role.name]:
        assert is_legal == (state in DECIDED[role.name][call]), f"{call} in {state}: legal is {is_legal}"
        return
    if state in TLS_PHASE:
        assert is_legal == (state in OVER_TLS.get(call, ())), f"{call} in {state}: legal is {is_legal}"
        return
    answers = platform_answers(role.name, state, call, systems=("winsock", "linux"))
    both_take_it = len(answers) == 2 and all(answer in ("ok", "blocks") for answer in answers.values())
    kind = "datagram" if role.name == "datagram" else "stream"
    excepted = (role.name, state, call) in EXCEPTIONS or (kind, state, call) in EXCEPTIONS
    assert is_legal == (both_take_it != excepted), f"{call} in {state}: legal is {is_legal}, the systems say {answers}"


ATTACHABLE: dict[str, frozenset[str]] = {role: frozenset(WITH_A_SOCKET[role]) - set(TLS_PHASE) for role in STATES}
"""The states in which attach() can find a handle."""

ENDS_WITH_EOF = {
    role: frozenset({"connected", "send_shut", "peer_closed", "ended", *TLS_PHASE[1:-1]})
    if role in ("client", "accepted")
    else frozenset[str]()
    for role in STATES
}
"""Where receiving may find the end of the stream: never after a reset, which must not look like one."""


def stated_endings_hold(role: Role, state: str, call: str) -> None:
    """The endings that the handlers themselves look up in the table are just those that are stated here."""
    outcomes = set(role.table[state].get(call, ()))
    if call == "attach" and outcomes:
        assert outcomes - {"failed"} == ATTACHABLE[role.name], f"attach() finds {outcomes}"
    if call in ("receive", "receive_from"):
        assert ("eof" in outcomes) == (state in ENDS_WITH_EOF[role.name]), f"{call} in {state} ends with {outcomes}"
