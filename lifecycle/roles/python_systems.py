"""What systems do with the calls that a role forbids: where a program goes on that has made one of them.

Whoever only watches a program cannot stop such a call, and has to know what became of the socket: a system may accept the call,
or refuse it and remember it all the same. These rows hold for that, beside the role's own; where there is none, the state
stays. They are what Linux does (lifecycle/system/linux.csv); what another system refuses does not get here.

Some states exist only on this side of the law. A listener that was shut down is `stopped`: it may listen again, on a new port
if the system chose the first one. A shutdown() before there is a connection fails, and yet Linux remembers it (`shut_early`):
the connection that is made afterwards has ended before it begins (`poisoned`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lifecycle.engine import Role, Row, State, stays
from lifecycle.roles.python_datagram import PYTHON_DATAGRAM
from lifecycle.roles.python_stream import PYTHON_STREAM
from lifecycle.roles.python_vocabulary import METHODS


@dataclass(frozen=True, slots=True)
class Beyond:
    """A state that no legal order leads to.

    like: the state of the role whose rows hold here too. refuses: the calls among them that are illegal all the same, and why.
    deceives: (call, outcome) that are an error of the order although the call is legal; the state's reason says why.
    """

    state: State
    like: str
    refuses: Mapping[str, str] = field(default_factory=dict)
    deceives: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Systems:
    """What systems do with what `role` forbids: the rows, and the states that they lead to.

    takes: (state, call) that Linux takes, so that an error of one is no matter of the order. local: those that are forbidden
    for the sake of Windows or the BSDs, and are right for a family that these do not have. hangs: those that wait for ever.
    late: the states in which a forbidden call tells the error of an earlier one.
    """

    role: Role
    rows: tuple[Row, ...] = ()
    beyond: tuple[Beyond, ...] = ()
    takes: frozenset[tuple[str, str]] = frozenset()
    local: frozenset[tuple[str, str]] = frozenset()
    hangs: frozenset[tuple[str, str]] = frozenset()
    late: frozenset[str] = frozenset()


_SENDING = (*METHODS["send"], *METHODS["send_to"])
_RECEIVING = (*METHODS["receive"], *METHODS["receive_from"])
_SHUTDOWNS = ("sends", "receives", "both", "failed")

_AFTER_SHUTDOWN = frozenset((state, call) for state in ("receive_shut", "shut") for call in _RECEIVING)
_ON_ANY_STREAM = _AFTER_SHUTDOWN | {("open", "getsockname"), ("listening", "shutdown"), ("broken", "bind")}
_NEVER_CHECKED = frozenset(("connecting", call) for call in (*_SENDING, *_RECEIVING, "shutdown"))

_TOO_EARLY = "shutdown() came before there was a peer: it failed, and yet this system remembers it"
_EPIPE = frozenset({("sendto", "failed")})

STREAM_SYSTEMS = Systems(
    role=PYTHON_STREAM,
    rows=(
        *((state, "listen", {"ok": "listening"}) for state, calls in PYTHON_STREAM.table.items()
          if "listen" not in calls and state not in PYTHON_STREAM.final),
        ("open", "shutdown", dict.fromkeys(_SHUTDOWNS, "shut_early")),
        ("bound", "shutdown", dict.fromkeys(_SHUTDOWNS, "shut_early_bound")),

        ("listening", "shutdown", {"receives": "stopped", "both": "stopped", "sends": "listening"}),
        *((state, "listen", {"ok": "listening"}) for state in ("stopped", "shut_early", "shut_early_bound", "poisoned")),
        ("stopped", "bind", {"ok": "bound"}),
        *(("stopped", call, {"ok": "connected"}) for call in METHODS["connect"]),

        *(("connecting", call, {"ok": "connected", "broken": "broken"}) for call in (*_SENDING, *_RECEIVING)),
        *(("connecting", call, {"eof": "peer_closed"}) for call in _RECEIVING),
        ("connecting", "shutdown", {"sends": "send_shut", "receives": "receive_shut", "both": "shut"}),

        ("shut_early", "bind", {"ok": "shut_early_bound"}),
        *((state, call, {"ok": "connected", "pending": "connecting"})
          for state in ("peer_closed", "ended", "broken") for call in METHODS["connect"]),

        *((state, call, {"ok": "poisoned"}) for state in ("shut_early", "shut_early_bound") for call in METHODS["connect"]),
        *(("poisoned", call, stays("poisoned", "eof", "broken")) for call in (*_SENDING, *_RECEIVING)),
    ),
    beyond=(
        Beyond(
            State("stopped", "A listener that was shut down.", reason="This listener was shut down: make a new one"),
            like="bound",
            refuses={"listen": "A listener that was shut down may come back on another port: make a new one"}
            | dict.fromkeys(METHODS["connect"], "A socket that has listened does not connect"),
        ),
        Beyond(State("shut_early", "Shut down before it was connected.", reason=_TOO_EARLY), like="open"),
        Beyond(State("shut_early_bound", "Bound, and shut down before it was connected.", reason=_TOO_EARLY), like="bound"),
        Beyond(
            State("poisoned", "Connected after it was shut down.", reason=_TOO_EARLY),
            like="connected",
            deceives=frozenset({*((call, "eof") for call in _RECEIVING), *((call, "broken") for call in _SENDING)}),
        ),
    ),
    takes=_ON_ANY_STREAM | _NEVER_CHECKED | {("open", "listen")},
    local=_ON_ANY_STREAM,
    late=frozenset({"connecting"}),
)  # fmt: skip

_UNBOUND = frozenset(("open", call) for call in _RECEIVING)
_ON_ANY_DATAGRAM_SOCKET = frozenset({
    *_AFTER_SHUTDOWN,
    ("open", "getsockname"),
    ("connected", "sendto"),
    ("receive_shut", "sendto"),
    *((state, call) for state in ("send_shut", "receive_shut", "shut") for call in METHODS["connect"]),
})  # fmt: skip

DATAGRAM_SYSTEMS = Systems(
    role=PYTHON_DATAGRAM,
    rows=(
        *(("open", call, {"failed": "bound"}) for call in METHODS["send"] if call != "sendfile"),
        ("open", "shutdown", dict.fromkeys(_SHUTDOWNS, "shut_early")),
        ("bound", "shutdown", dict.fromkeys(_SHUTDOWNS, "shut_early_bound")),
        ("shut_early", "bind", {"ok": "shut_early_bound"}),
    ),
    beyond=(
        Beyond(State("shut_early", "Shut down before it had a peer.", reason=_TOO_EARLY), like="open", deceives=_EPIPE),
        Beyond(
            State("shut_early_bound", "Bound, and shut down before it had a peer.", reason=_TOO_EARLY),
            like="bound",
            deceives=_EPIPE,
        ),
    ),
    takes=_ON_ANY_DATAGRAM_SOCKET | _UNBOUND,
    local=_ON_ANY_DATAGRAM_SOCKET,
    hangs=_UNBOUND,
)  # fmt: skip
