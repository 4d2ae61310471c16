"""Finds the line of a platform's table that says what the system answers where a role among its surroundings stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lifecycle.conformance.adapters.protocol import Answer
from lifecycle.conformance.model.environment import Facts, Provocation
from lifecycle.conformance.model.graph import Edge
from lifecycle.conformance.vocabulary.datagrams import PEER
from lifecycle.conformance.vocabulary.streams import LISTENER, NOBODY, SILENCE
from lifecycle.system.matrices import shipped_results

CALLS: Mapping[str, str] = {
    "bind": "bind",
    "listen": "listen",
    "accept": "accept",
    "finish_connect": "so_error",
    "disconnect": "disconnect_unspec",
    "send": "send",
    "receive": "recv",
    "receive nothing": "recv_0",
    "send_to": "sendto",
    "receive_from": "recvfrom",
    "shut_down sends": "shutdown_wr",
    "shut_down receives": "shutdown_rd",
    "shut_down both": "shutdown_rdwr",
    "get_sock_name": "getsockname",
    "get_peer_name": "getpeername",
    "set_option": "setsockopt_reuseaddr",
    "get_option": "so_error",
    "close": "close",
}
"""a call, with how it is made where that matters -> what the table calls it"""

CONNECTS = {LISTENER: "connect", SILENCE: "connect", PEER: "connect", NOBODY: "connect_dead"}
"""to whom -> what the table calls it"""

STREAM_STATES: tuple[tuple[str, str, str], ...] = (
    # (state, facts, what the table calls it); the first that holds
    ("empty", "", "nofd"),
    ("open", "spurned", "connect_refused_fetched"),
    ("open", "", "created"),
    ("bound", "spurned", "connect_refused_fetched"),
    ("bound", "", "bound"),
    ("listening", "waiting", "listening_pending"),
    ("listening", "", "listening"),
    ("connecting", "answered", "connected"),
    ("connecting", "turned_down", "connect_refused_pending"),
    ("connecting", "", "connecting"),
    ("*", "told", "reset_fetched"),
    ("*", "reset full mute", "reset"),
    ("*", "reset end", "peer_closed_then_sent"),
    ("*", "reset", "reset"),
    ("*", "over data", "peer_closed_data"),
    ("*", "over", "finished_active"),
    ("*", "deaf data", "recv_shut_peer_sent"),
    ("connected", "full", "connected_sendfull"),
    ("connected", "data end", "peer_closed_data"),
    ("connected", "data", "connected_data"),
    ("connected", "end", "peer_send_shut"),
    ("connected", "", "accepted"),
    ("send_shut", "", "send_shut"),
    ("receive_shut", "", "recv_shut"),
    ("peer_closed", "full", "connected_sendfull"),
    ("peer_closed", "", "peer_closed_eof_read"),
    ("ended", "full", "send_shut"),
    ("ended", "", "finished_active"),
    ("shut", "", "both_shut"),
    ("broken", "", "reset_fetched"),
    ("closed", "", "closed"),
)

DATAGRAM_STATES: tuple[tuple[str, str, str], ...] = (
    ("empty", "", "nofd"),
    ("open", "", "created"),
    ("bound", "data", "bound_data"),
    ("bound", "", "bound"),
    ("*", "refusal", "refused_pending"),
    ("*", "deaf data", "connected_data"),
    ("connected", "data", "connected_data"),
    ("connected", "gone", "peer_closed"),
    ("connected", "", "connected"),
    ("send_shut", "", "send_shut"),
    ("receive_shut", "", "recv_shut"),
    ("shut", "", "both_shut"),
    ("closed", "", "closed"),
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
        if answer.system in ("ok", "blocks"):
            said = "ok" if answer.system == "ok" else "would-block"
            if self.call.startswith("recv") and isinstance(answer.value, bytes):
                return result == f"ok:{len(answer.value)}" or (bool(answer.value) and result not in ("ok:0", "would-block"))
            return result.partition(":")[0] == said or (said == "ok" and result == "EINPROGRESS")
        return answer.system in (result, result.removeprefix("ok:"))


def lines_for(platform: str | None, edge: Edge) -> tuple[Line, ...]:
    """The lines of `platform`'s table that may answer a call where the edge begins; none where it has none."""
    if platform is None or not isinstance(edge.step, Provocation):
        return ()
    call = _call_in_table(edge.step)
    kind, rows = ("dgram", DATAGRAM_STATES) if edge.role == "datagram" else ("stream", STREAM_STATES)
    facts = edge.source.facts
    states = [_state_in_table(rows, edge.source.state, facts)]
    if "data" in facts:  # of a call that is not about the data, the line without it tells as well
        states.append(_state_in_table(rows, edge.source.state, facts - {"data"}))
        states.append("recv_shut_peer_sent")
    if "deaf" in facts:
        states.append("recv_shut")
    if "spurned" in facts:  # a second connect() forgets the refusal of the first (ECONNABORTED), and a port is chosen anew
        states.append(_state_in_table(rows, edge.source.state, facts - {"spurned"}))
    if edge.step.call == "connect" and "linked" in facts and kind == "stream":
        states = [COLLECTED] if edge.role == "accepted" else [*states, COLLECTED, UNCOLLECTED]
    found = ((state, shipped_results(platform).get(("inet", kind, state, str(call)))) for state in states)
    return tuple(Line(platform, kind, state, str(call), result) for state, result in found if result is not None)


COLLECTED, UNCOLLECTED = "accepted", "connected"
"""Lines that tell of a second connect() on a connection.

The table's connections were made without waiting, and nobody had collected the result: there the second connect() told the
first one's "ok", and made no connection. One that was accepted, or whose connect() has told its result, answers EISCONN.
(COLLECTED in lifecycle.system.platform_answers has the same.) Whether a client's connect() collects it is the implementation's
matter.
"""


def _call_in_table(provocation: Provocation) -> str | None:
    if provocation.call == "connect":
        return next((name for place, name in CONNECTS.items() if place in provocation.arguments), None)
    return CALLS.get(f"{provocation.call} {provocation.how}") or CALLS.get(provocation.call)


def _state_in_table(rows: tuple[tuple[str, str, str], ...], state: str, facts: Facts) -> str:
    return next(name for where, words, name in rows if where in ("*", state) and frozenset(words.split()) <= facts)
