"""Finds the line of a platform's table that answers a call where a role among its surroundings stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lifecycle.conformance.adapters.outcomes import UNDER_WAY
from lifecycle.conformance.adapters.protocol import Answer
from lifecycle.conformance.model.environment import Provocation
from lifecycle.conformance.model.environments import LISTENER, NOBODY, PEER, SILENCE
from lifecycle.conformance.model.graph import Edge
from lifecycle.roles.words import CONNECT, FINISH_CONNECT
from lifecycle.system.matrices import shipped_results
from lifecycle.system.platform_answers import CALLS, KINDS

Lines = tuple[tuple[str, str], ...]
"""(facts, what the table calls a socket with them); the first that holds"""

HOW: Mapping[str, str] = {
    "receive nothing": "recv_0",
    "shut_down receives": "shutdown_rd",
    "shut_down both": "shutdown_rdwr",
    FINISH_CONNECT.name: "so_error",
}
"""a call, with how it is made -> what the table calls it, where it is not what it calls the call"""

CONNECTS = {LISTENER: "connect", SILENCE: "connect", PEER: "connect", NOBODY: "connect_dead"}
"""the address of a connect -> what the table calls it"""

STREAM_STATES: Lines = (
    ("over", "closed"),
    ("listening waiting", "listening_pending"),
    ("listening", "listening"),
    ("seeking answered", "connected"),
    ("seeking refused", "connect_refused_pending"),
    ("seeking", "connecting"),
    ("reset_reported", "reset_fetched"),
    ("reset full send_ended", "reset"),
    ("reset end", "peer_closed_then_sent"),
    ("reset", "reset"),
    ("both_ended data", "peer_closed_data"),
    ("both_ended", "finished_active"),
    ("receive_ended data", "recv_shut_peer_sent"),
    ("send_ended receive_ended", "both_shut"),
    ("send_ended", "send_shut"),
    ("receive_ended", "recv_shut"),
    ("end_seen full", "connected_sendfull"),
    ("end_seen", "peer_closed_eof_read"),
    ("linked full", "connected_sendfull"),
    ("linked data end", "peer_closed_data"),
    ("linked data", "connected_data"),
    ("linked end", "peer_send_shut"),
    ("linked", "accepted"),
    ("handle refused_before", "connect_refused_fetched"),
    ("addressed", "bound"),
    ("handle", "created"),
    ("", "nofd"),
)

DATAGRAM_STATES: Lines = (
    ("over", "closed"),
    ("refusal", "refused_pending"),
    ("receive_ended data", "connected_data"),
    ("send_ended receive_ended", "both_shut"),
    ("send_ended", "send_shut"),
    ("receive_ended", "recv_shut"),
    ("linked data", "connected_data"),
    ("linked gone", "peer_closed"),
    ("linked", "connected"),
    ("addressed data", "bound_data"),
    ("addressed", "bound"),
    ("handle", "created"),
    ("", "nofd"),
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
        return f"{self.platform}: inet {self.kind} {self.state} {self.call} = {self.result}"

    def says(self, answer: Answer) -> bool:
        """Whether this is what was answered."""
        result = self.result.removesuffix("+SIGPIPE").partition("(")[0]
        if answer.system == UNDER_WAY and self.call == HOW[FINISH_CONNECT.name]:
            return result.partition(":")[0] == "ok"  # no error is there to be reported so far
        if answer.system == UNDER_WAY or result == UNDER_WAY:
            return answer.system == result
        if answer.system in ("ok", "blocks"):
            said = "ok" if answer.system == "ok" else "would-block"
            if self.call.startswith("recv") and isinstance(answer.value, bytes):
                return result == f"ok:{len(answer.value)}" or (bool(answer.value) and result not in ("ok:0", "would-block"))
            return result.partition(":")[0] == said
        return answer.system in (result, result.removeprefix("ok:"))


def lines_for(platform: str | None, edge: Edge) -> tuple[Line, ...]:
    """The lines of `platform`'s table that may answer a call where the edge begins; none where it has none."""
    if platform is None or not isinstance(edge.step, Provocation):
        return ()
    call, kind, facts = _call_in_table(edge.step), str(KINDS[edge.role].linux), edge.source.facts
    rows = DATAGRAM_STATES if kind == "dgram" else STREAM_STATES
    states = [_state_in_table(rows, facts)]
    if "data" in facts:  # of a call that is not about the data, the line without it says as much
        states.append(_state_in_table(rows, facts - {"data"}))
        states.append("recv_shut_peer_sent")
    if "receive_ended" in facts:
        states.append("recv_shut")
    if (
        "refused_before" in facts
    ):  # a second connect() forgets the refusal of the first (ECONNABORTED), and a port is chosen anew
        states.append(_state_in_table(rows, facts - {"refused_before"}))
    if edge.step.call == CONNECT.name and "linked" in facts and kind == "stream":
        states = [COLLECTED] if edge.role == "accepted" else [*states, COLLECTED, UNCOLLECTED]
    found = ((state, shipped_results(platform).get(("inet", kind, state, str(call)))) for state in states)
    return tuple(Line(platform, kind, state, str(call), result) for state, result in found if result is not None)


COLLECTED, UNCOLLECTED = "accepted", "connected"
"""Lines of a second connect() on a connection.

The table's connections were made without waiting, and the result was not collected: there the second connect() returned the
first one's "ok", and made no connection. One that was accepted, or whose connect() has returned its result, answers EISCONN.
(COLLECTED in lifecycle.system.platform_answers has the same.) Whether a client's connect() collects it is the
implementation's matter.
"""


def _call_in_table(provocation: Provocation) -> str | None:
    if provocation.call == CONNECT.name:
        return next((name for place, name in CONNECTS.items() if place in provocation.arguments), None)
    special = HOW.get(provocation.label) or HOW.get(provocation.call)
    named = CALLS.get(provocation.call)
    return special or (named.linux if named is not None else None)


def _state_in_table(rows: Lines, facts: frozenset[str]) -> str:
    return next(name for words, name in rows if frozenset(words.split()) <= facts)
