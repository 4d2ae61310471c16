"""A call of the system on a socket: how it ended, where it leads, and whether the tables allow it."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping

from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.observed import DATAGRAM, STREAM, ObservedState
from lifecycle.checking.outcomes import is_order_error
from lifecycle.checking.traces.descriptors import Description
from lifecycle.checking.traces.lines import SystemCall
from lifecycle.engine import Kind
from lifecycle.roles.facts import BOUND, OPEN
from lifecycle.roles.python.system_calls import (
    CONNECTS,
    DIRECTIONS,
    ENDS_A_DIRECTION,
    MAY_NAME_A_PEER,
    READS_AN_OPTION,
    RECEIVES,
    SYSTEM_CALLS,
    TO_A_PEER,
)
from lifecycle.roles.python.words import CONFIRMED, QUESTIONS, RETURNS_ERROR
from lifecycle.system import outcomes as system

NUMBERS: Mapping[str, int] = {name: number for number, name in errno.errorcode.items()} | {
    "EAGAIN": errno.EAGAIN, "EOPNOTSUPP": errno.EOPNOTSUPP, "ENOTSUP": errno.EOPNOTSUPP,
}  # fmt: skip

REPEATED = frozenset({"EINTR", "ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK"})
"""errors of calls that the system or the program makes again"""

_NAMES_A_PEER = re.compile(r"sa_family=|msg_name=\{")
_ASKED_FOR_NOTHING = re.compile(r'"", 0(?:, 0, NULL, NULL)?$')
_OPTION = re.compile(r"SO_ERROR, \[([^\]]*)\]")
_UNCONNECTS = "AF_UNSPEC"


def row_of(call: SystemCall) -> str:
    """The method whose row applies."""
    if call.name in MAY_NAME_A_PEER and _NAMES_A_PEER.search(call.arguments):
        return TO_A_PEER
    return SYSTEM_CALLS[call.name]


def advance(socket: Description, call: SystemCall) -> FindingKind | None:
    """Move the socket by a call that has ended; return the violation, or None."""
    state = socket.state
    row = row_of(call)
    if call.error in REPEATED or call.result is None or (call.error and call.error not in NUMBERS):
        return None
    if not call.error and row == CONNECTS and call.has(_UNCONNECTS):
        socket.state = _unconnected(state)
        socket.note(call.name, _UNCONNECTS, call.line)
        return None
    outcome = _outcome(state, row, call)
    after = state if outcome is None else state.after(row, outcome)
    is_illegal = row not in state.legal
    if after is not state or is_illegal:
        socket.note(call.name, call.error or outcome or "", call.line)
    socket.state = after
    return _judge(socket, state, row, call, outcome) if is_illegal else None


def _unconnected(state: ObservedState) -> ObservedState:
    """connect(AF_UNSPEC) takes the peer away; glibc does so to sort addresses (RFC 6724)."""
    if state.role.name == DATAGRAM.initial.role.name:
        return DATAGRAM.at(BOUND)
    return STREAM.at(OPEN) if state.role.name == STREAM.initial.role.name else state


def _outcome(state: ObservedState, row: str, call: SystemCall) -> str | None:
    if call.error:
        if call.error == "EAGAIN" and row != CONNECTS:
            return "pending"
        return _of_number(state, row, NUMBERS[call.error])
    if row in RECEIVES and call.result == 0 and state.has_end(row):
        return None if _ASKED_FOR_NOTHING.search(call.arguments) else "eof"
    if row == ENDS_A_DIRECTION:
        return DIRECTIONS.get(call.arguments.rpartition(", ")[2].split(" ")[0], "both")
    if row == READS_AN_OPTION and (found := _OPTION.search(call.arguments)):
        if state.after(row, CONFIRMED.name) is state:
            return "ok"
        number = NUMBERS.get(found[1])
        return CONFIRMED.name if number is None else _of_number(state, CONNECTS, number)
    return "ok"


def _of_number(state: ObservedState, row: str, number: int) -> str | None:
    outcome = system.outcome_of_number(state.role.call(row).errors, number)
    return "failed" if outcome == "ok" and row not in state.legal else outcome


def _judge(socket: Description, state: ObservedState, row: str, call: SystemCall, outcome: str | None) -> FindingKind | None:
    """The violation of an illegal call; None for a query of a state, whatever the system answers."""
    is_question = row in QUESTIONS and row != ENDS_A_DIRECTION
    if is_question or (not socket.is_internet and state.is_local(row)):
        return None
    if call.error:
        is_taken = socket.is_internet and state.accepts(row) and not state.hangs(row)
        if is_taken and state.facts.failed:  # refused again: what matters is that it was asked again
            return FindingKind.PORTABILITY
        return FindingKind.ORDER if is_order_error(NUMBERS[call.error]) and not is_taken else None
    succeeded = outcome is not None and (
        row in RETURNS_ERROR or state.role.outcome(outcome).kind in (Kind.SUCCESS, Kind.ENDING, Kind.WAITING)
    )
    return FindingKind.PORTABILITY if succeeded and socket.is_internet and not state.final else None
