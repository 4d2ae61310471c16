"""What systems do with the calls that a role forbids: where a program goes on that has made one of them.

Whoever only watches a program cannot stop such a call, and has to know what became of the socket: a system may accept the call,
or refuse it and remember it all the same. These rows hold for that, beside the role's own; where there is none, the state
stays. They are what Linux does (lifecycle/platforms/linux.csv); what another system refuses does not get here.

Some states exist only on this side of the law. A listener that was shut down is `stopped`: it may listen again, on a new port
if the system chose the first one. A shutdown() before there is a connection fails, and yet Linux remembers it (`shut_early`):
the connection that is made afterwards has ended before it begins (`poisoned`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lifecycle.engine.role import Role, Row, State, stays
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

    hangs: (state, call) that wait for ever. late: the states in which a forbidden call tells the error of an earlier one.
    local: (state, call) that are forbidden for the sake of Windows or the BSDs, and right for a family that these do not have.
    """

    role: Role
    rows: tuple[Row, ...] = ()
    beyond: tuple[Beyond, ...] = ()
    hangs: frozenset[tuple[str, str]] = frozenset()
    late: frozenset[str] = frozenset()
    local: frozenset[tuple[str, str]] = frozenset()


_SENDING = (*METHODS["send"], *METHODS["send_to"])
_RECEIVING = (*METHODS["receive"], *METHODS["receive_from"])
_SHUTDOWNS = ("sends", "receives", "both", "failed")

_AFTER_SHUTDOWN = frozenset((state, call) for state in ("receive_shut", "shut") for call in _RECEIVING)

_TOO_EARLY = "shutdown() came before there was a connection: it failed, and yet this system remembers it"

STREAM_SYSTEMS = Systems(
    role=PYTHON_STREAM,
    rows=(
        ("open", "listen", {"ok": "listening"}),
        ("open", "shutdown", dict.fromkeys(_SHUTDOWNS, "shut_early")),
        ("bound", "shutdown", dict.fromkeys(_SHUTDOWNS, "shut_early_bound")),

        ("listening", "shutdown", {"receives": "stopped", "both": "stopped", "sends": "listening"}),
        ("stopped", "listen", {"ok": "listening"}),
        ("stopped", "bind", {"ok": "bound"}),
        *(("stopped", call, {"ok": "connected"}) for call in METHODS["connect"]),

        *(("connecting", call, {"ok": "connected", "broken": "broken"}) for call in (*_SENDING, *_RECEIVING)),
        *(("connecting", call, {"eof": "peer_closed"}) for call in _RECEIVING),
        ("connecting", "shutdown", {"sends": "send_shut", "receives": "receive_shut", "both": "shut"}),

        ("shut_early", "bind", {"ok": "shut_early_bound"}),
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
    late=frozenset({"connecting"}),
    local=_AFTER_SHUTDOWN | {("open", "getsockname"), ("listening", "shutdown")},
)  # fmt: skip

DATAGRAM_SYSTEMS = Systems(
    role=PYTHON_DATAGRAM,
    rows=(
        *(("open", call, {"failed": "bound"}) for call in METHODS["send"] if call != "sendfile"),
        *((state, "shutdown", dict.fromkeys(_SHUTDOWNS, "shut_early")) for state in ("open", "bound")),
    ),
    beyond=(
        Beyond(
            State("shut_early", "Shut down before it had a peer.", reason="shutdown() came before there was a peer: it failed,"
                  " and yet this system remembers it"),
            like="bound",
            deceives=frozenset({("sendto", "failed")}),
        ),
    ),
    hangs=frozenset(("open", call) for call in _RECEIVING),
    local=_AFTER_SHUTDOWN | {("open", "getsockname"), ("connected", "sendto")},
)  # fmt: skip
