"""Finds the line of a platform's table for a call of an object with these facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from lifecycle.conformance.adapters.outcomes import UNDER_WAY
from lifecycle.conformance.adapters.protocol import Answer
from lifecycle.conformance.model.environment import Provocation
from lifecycle.conformance.model.environments import LISTENER, NOBODY, PEER, SILENCE
from lifecycle.conformance.model.graph import Edge
from lifecycle.roles.words import CONNECT, FINISH_CONNECT
from lifecycle.system.matrices import shipped_results, winsock_results
from lifecycle.system.platform_answers import CALLS, KINDS

Lines = tuple[tuple[str, str, str], ...]
"""(facts, the name of a socket with them in Linux's table, and in Winsock's); the first that holds"""

HOW: Mapping[str, str] = {
    "receive nothing": "recv_0",
    "shut_down receives": "shutdown_rd",
    "shut_down both": "shutdown_rdwr",
    FINISH_CONNECT.name: "so_error",
}
"""a call, with how it is made -> its name in the table, if that differs from the name of the plain call"""

WINSOCK = "winsock"

HOW_IN_WINSOCK: Mapping[str, str] = {
    "receive nothing": "recv(0)",
    "receive_from nothing": "recvfrom(0)",
    "receive out of band": "recv(MSG_OOB)",
    "receive_from out of band": "recvfrom(MSG_OOB)",
    "shut_down receives": "shutdown(SD_RECEIVE)",
    "shut_down both": "shutdown(SD_BOTH)",
}
"""the same, in Winsock's table"""

ENDED_HERE = (("send", "send_ended", "send-shut"), ("recv", "receive_ended", "recv-shut"))
"""(calls, the fact that their direction was shut down here, the name of that in Winsock's table)"""

CONNECTS = {LISTENER: "connect", SILENCE: "connect", PEER: "connect", NOBODY: "connect_dead"}
"""the address of a connect -> its name in the table"""

STREAM_STATES: Lines = (
    ("over", "closed", "closed"),
    ("listening waiting", "listening_pending", "listening+pending"),
    ("listening", "listening", "listening"),
    ("seeking answered", "connected", "connected"),
    ("seeking refused", "connect_refused_pending", "refused"),
    ("seeking", "connecting", "connecting"),
    ("reset_reported", "reset_fetched", "reset-seen"),
    ("reset full send_ended", "reset", "reset"),
    ("reset end", "peer_closed_then_sent", "reset"),
    ("reset", "reset", "reset"),
    ("both_ended data", "peer_closed_data", "connected+data"),
    ("both_ended", "finished_active", "finished"),
    ("receive_ended data", "recv_shut_peer_sent", "recv-shut"),
    ("send_ended receive_ended", "both_shut", "both-shut"),
    ("send_ended", "send_shut", "send-shut"),
    ("receive_ended", "recv_shut", "recv-shut"),
    ("end_seen full", "connected_sendfull", "peer-closed"),
    ("end_seen", "peer_closed_eof_read", "peer-closed"),
    ("linked full", "connected_sendfull", "connected"),
    ("linked data end", "peer_closed_data", "connected+data"),
    ("linked data", "connected_data", "connected+data"),
    ("linked end", "peer_send_shut", "peer-half-closed"),
    ("linked", "accepted", "accepted"),
    ("handle refused_before", "connect_refused_fetched", "refused"),
    ("addressed", "bound", "bound"),
    ("handle", "created", "created"),
    ("", "nofd", "new"),
)

DATAGRAM_STATES: Lines = (
    ("over", "closed", "closed"),
    ("refusal data", "refused_pending", "connected+data"),
    ("refusal", "refused_pending", "reset"),
    ("receive_ended data", "connected_data", "recv-shut"),
    ("send_ended receive_ended", "both_shut", "both-shut"),
    ("send_ended", "send_shut", "send-shut"),
    ("receive_ended", "recv_shut", "recv-shut"),
    ("linked data", "connected_data", "connected+data"),
    ("linked gone", "peer_closed", "reset"),
    ("linked", "connected", "connected"),
    ("addressed data", "bound_data", "bound+data"),
    ("addressed", "bound", "bound"),
    ("handle", "created", "created"),
    ("", "nofd", "new"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a platform's table. `name` is how reports cite it."""

    platform: str
    kind: str
    state: str
    call: str
    result: str

    @property
    def name(self) -> str:
        return f"{self.platform}: {self.kind} {self.state} {self.call} = {self.result}"

    @property
    def waits(self) -> bool:
        """Whether the call waits there, unless it is made without waiting."""
        return self.result.partition("+")[0] in ("would-block", UNDER_WAY)

    def says(self, answer: Answer) -> bool:
        """Whether this line has that answer."""
        result = self.result.removesuffix("+SIGPIPE").partition("(")[0]
        system = answer.system.removeprefix("WSA")
        if answer.system == UNDER_WAY and self.call == HOW[FINISH_CONNECT.name]:
            return result.partition(":")[0] == "ok"  # no error is there to be reported so far
        if answer.system == UNDER_WAY or result == UNDER_WAY:
            return answer.system == result
        if answer.system in ("ok", "blocks"):
            said = "ok" if answer.system == "ok" else "would-block"
            if self.call.startswith("recv") and isinstance(answer.value, bytes):
                return result == f"ok:{len(answer.value)}" or (bool(answer.value) and result not in ("ok:0", "would-block"))
            return result.partition(":")[0] == said
        return system in (result, result.removeprefix("ok:"))


def lines_for(platform: str | None, edge: Edge) -> tuple[Line, ...]:
    """The lines of `platform`'s table that may apply to the call of an edge; none if it has no table."""
    if platform is None or not isinstance(edge.step, Provocation):
        return ()
    if platform == WINSOCK:
        return tuple(_lines_of_winsock(edge, edge.step))
    call, kind, facts = _call_in_table(edge.step), str(KINDS[edge.role].linux), edge.source.facts
    states = [_state_in_table(edge.role, facts)]
    if "data" in facts:  # if the call is not about the data, the line without data applies, too
        states.append(_state_in_table(edge.role, facts - {"data"}))
        states.append("recv_shut_peer_sent")
    if "receive_ended" in facts:
        states.append("recv_shut")
    if (
        "refused_before" in facts
    ):  # a second connect() forgets the refusal of the first (ECONNABORTED), and a port is chosen anew
        states.append(_state_in_table(edge.role, facts - {"refused_before"}))
    if edge.step.call == CONNECT.name and "linked" in facts and kind == "stream":
        states = [COLLECTED] if edge.role == "accepted" else [*states, COLLECTED, UNCOLLECTED]
    found = ((state, shipped_results(platform).get(("inet", kind, state, str(call)))) for state in states)
    return tuple(Line(platform, f"inet {kind}", state, str(call), result) for state, result in found if result is not None)


def _lines_of_winsock(edge: Edge, provocation: Provocation) -> Iterator[Line]:
    """The answers measured under Wine, and the documented ones of Windows if they are known to differ."""
    named = CALLS.get(provocation.call)
    call = HOW_IN_WINSOCK.get(provocation.label) or (named.winsock if named is not None else None)
    kind, (_, state) = str(KINDS[edge.role].winsock), _states_in_tables(edge.role, edge.source.facts)
    for direction, fact, shut in ENDED_HERE:  # which answers so, whatever the peer did then
        if fact in edge.source.facts and str(call).startswith(direction):
            state = shut
    for source, result in (winsock_results().get((kind, state, str(call))) or {}).items():
        yield Line(source, kind, state, str(call), result)


COLLECTED, UNCOLLECTED = "accepted", "connected"
"""Lines of a second connect() on a connection.

The table's connections were made without waiting, and the result was not collected: there the second connect() returned the
first one's "ok", and made no connection. One that was accepted, or whose connect() has returned its result, answers EISCONN.
(COLLECTED in lifecycle.system.platform_answers has the same.) Whether a client's connect() collects it depends on the
implementation.
"""


def _call_in_table(provocation: Provocation) -> str | None:
    if provocation.call == CONNECT.name:
        return next((name for place, name in CONNECTS.items() if place in provocation.arguments), None)
    special = HOW.get(provocation.label) or HOW.get(provocation.call)
    named = CALLS.get(provocation.call)
    return special or (named.linux if named is not None else None)


@cache
def _states_in_tables(role: str, facts: frozenset[str]) -> tuple[str, str]:
    """The names of a socket of that role with these facts in Linux's table and in Winsock's."""
    rows = DATAGRAM_STATES if KINDS[role].linux == "dgram" else STREAM_STATES
    return next((linux, winsock) for words, linux, winsock in rows if frozenset(words.split()) <= facts)


def _state_in_table(role: str, facts: frozenset[str]) -> str:
    return _states_in_tables(role, facts)[0]
