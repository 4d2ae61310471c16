"""Compares a measured matrix with a shipped table, and with the roles: which forbidden calls this system accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lifecycle.conformance.campaigns.measure import NOT_MEASURED, Measured, measure
from lifecycle.engine import Role
from lifecycle.roles import ROLES
from lifecycle.roles.words import CONNECT
from lifecycle.system.matrices import PLATFORMS, CellKey, shipped_results
from lifecycle.system.platform_answers import CALLS, KINDS, STATES, platform_answers

LENGTH_OF_NAME = re.compile(r"\(addrlen=\d+\)")

PATHS = "the length of a local address is that of its path, which each measurement chooses"


class Difference(NamedTuple):
    """A cell in which this system answers differently; `explanation` is "" if nothing explains it."""

    cell: CellKey
    shipped: str
    measured: str
    explanation: str


class Collected(NamedTuple):
    """A cell whose answer was the result of an earlier connect(), and its answer once that was collected."""

    cell: CellKey
    first: str
    once_collected: str


class Accepted(NamedTuple):
    """A call that a role forbids and this system accepts."""

    role: str
    state: str
    call: str
    answer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The measured cells compared with the table of `platform` and with the roles."""

    platform: str
    cells: int
    differences: list[Difference]
    collected: list[Collected]
    accepted: list[Accepted]

    @property
    def unexplained(self) -> list[Difference]:
        """The differences that nothing explains."""
        return [each for each in self.differences if not each.explanation]


def compared_with(measured: Measured, platform: str, *, is_systems: bool = True) -> Comparison:
    """Compare the measured cells with a shipped table ("linux", or "winsock" role by role), and with the roles.

    is_systems: whether they are of this machine's system, whose connections can be examined more closely.
    """
    if not is_systems:
        measured = {cell: result for cell, result in measured.items() if result != NOT_MEASURED}
    earlier = collected(measured) if is_systems else []
    once_asked = {**measured, **{each.cell: each.once_collected for each in earlier}}
    if platform in PLATFORMS:
        found = differences(measured, platform)
        if not is_systems:  # signals are of the system
            found = [each for each in found if each.shipped.removesuffix("+SIGPIPE") != each.measured]
    else:
        found = [each for role in ROLES.values() for each in differences_from_winsock(once_asked, role)]
    accepts = [each for role in ROLES.values() for each in accepted(once_asked, role)]
    return Comparison(platform, len(measured), found, earlier, accepts)


def differences(measured: Measured, platform: str) -> list[Difference]:
    """The differences between the measured answers and the shipped table of `platform`, which must be complete."""
    shipped = shipped_results(platform)
    return [
        Difference(cell, shipped[cell], result, _explanation(cell, shipped[cell], result))
        for cell, result in measured.items()
        if cell in shipped and shipped[cell] != result
    ]


def collected(measured: Measured) -> list[Collected]:
    """The cells of connect() on a connection whose first connect() was made without waiting, its result not collected.

    The shipped tables were measured so, and have "ok" there: that is the first connect()'s result, and not a second connection.
    Each is measured again on a connection whose result was collected.
    """
    calls = (CONNECT.name, "connect_dead")
    pairs = tuple(dict.fromkeys((family, kind) for family, kind, _, call in measured if call in calls and kind != "dgram"))
    again = measure(pairs, calls=calls, collects=True)
    return [Collected(cell, measured[cell], result) for cell, result in again.items() if measured.get(cell, result) != result]


def accepted(measured: Measured, role: Role) -> Iterator[Accepted]:
    """The calls that a role forbids and this system accepts, over IPv4."""
    for state in role.table:
        for call in role.illegal(state):
            result = result_for(measured, role.name, state, call)
            if result is not None and (result.startswith("ok") or result == "EINPROGRESS"):
                yield Accepted(role.name, state, call, result, role.reason(state, call))


def differences_from_winsock(measured: Measured, role: Role) -> Iterator[Difference]:
    """The calls in the states of a role that this system accepts and Winsock refuses, or the other way round."""
    for state in role.table:
        for call in role.calls:
            winsock = platform_answers(role.name, state, call.name, systems=("winsock",)).get("winsock")
            result = result_for(measured, role.name, state, call.name)
            if winsock is None or result is None:
                continue
            if (winsock in ("ok", "blocks")) != _is_taken(result):
                yield Difference((role.name, state, call.name, ""), winsock, result, "systems differ: the table of Winsock")


def result_for(measured: Measured, role: str, state: str, call: str) -> str | None:
    """The measured answer for a role's state and call; None if the tables have no such state or call."""
    known_state, known_call = STATES.get(role, {}).get(state), CALLS.get(call)
    if known_state is None or known_call is None or known_state.linux is None or known_call.linux is None:
        return None
    return measured.get(("inet", str(KINDS[role].linux), known_state.linux, known_call.linux))


def _is_taken(result: str) -> bool:
    return result.startswith("ok") or result in ("would-block", "EINPROGRESS")


def _explanation(cell: CellKey, shipped: str, result: str) -> str:
    is_local = cell[0] == "unix"
    if is_local and LENGTH_OF_NAME.sub("", shipped) == LENGTH_OF_NAME.sub("", result):
        return PATHS
    return ""
