"""The states of Python's sockets as a checker follows them, including those that only an illegal call reaches.

An object under a role runs the role's table; a socket that is only observed also goes where the table does not lead. So an
observed state has two answers for a call: whether the role allows it, and which state the socket is really in after it
(lifecycle.roles.python_systems).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from lifecycle.engine import Role
from lifecycle.roles.python_socket import PYTHON_SOCKET
from lifecycle.roles.python_systems import DATAGRAM_SYSTEMS, STREAM_SYSTEMS, Beyond, Systems


class ObservedState:
    """One state of an observed socket.

    legal: the calls that the role allows here. keeps: those among them whose `ok` stays here. accepts: the illegal calls
    that this system accepts. local: those that are legal for families that only such systems have. hangs: those that wait
    for ever. reports_late: an illegal call returns the error of an earlier one.
    """

    __slots__ = (
        "_after",
        "_all",
        "_beyond",
        "accepts",
        "final",
        "hangs",
        "keeps",
        "legal",
        "local",
        "name",
        "reports_late",
        "role",
        "stands_for",
    )

    def __init__(self, name: str, systems: Systems, beyond: Beyond | None) -> None:
        self.name = name
        self.role: Role = systems.role
        self.stands_for = name if beyond is None else beyond.like
        self.final = name in systems.role.final
        self.reports_late = name in systems.late
        self.hangs = frozenset(call for state, call in systems.hangs if state == name)
        self._beyond = beyond
        refused = frozenset() if beyond is None else frozenset(beyond.refuses)
        self.legal = frozenset(systems.role.table[self.stands_for]) - refused
        is_known = sys.platform == "linux"
        self.accepts = frozenset(call for state, call in systems.takes if is_known and state == name)
        self.local = frozenset(call for state, call in systems.local if state == name)
        self.keeps: frozenset[str] = frozenset()
        self._after: dict[str, str] = {}  # of strings only, so that the garbage collector does not traverse it
        self._all: Mapping[str, ObservedState] = {}

    def __repr__(self) -> str:
        return f"<{self.role.name} {self.name}>"

    def after(self, call: str, outcome: str) -> ObservedState:
        """The state after `call` has ended in `outcome` on a real system; this one where no row says otherwise."""
        name = self._after.get(f"{call}.{outcome}")
        return self if name is None else self._all[name]

    def lists(self, call: str, outcome: str) -> bool:
        """Whether a row says where this outcome of `call` leads."""
        return f"{call}.{outcome}" in self._after

    def misleads(self, call: str, outcome: str) -> bool:
        """Whether this outcome of a legal call is the late effect of an illegal one."""
        return self._beyond is not None and (call, outcome) in self._beyond.deceives

    def legal_calls(self) -> tuple[str, ...]:
        """The legal calls in the table's order."""
        return tuple(call.name for call in self.role.calls if call.name in self.legal)

    def reason(self, call: str) -> str:
        """Why `call` is illegal here, or ""."""
        if self._beyond is None:
            return self.role.reason(self.name, call)
        return self._beyond.refuses.get(call) or self._beyond.state.reason

    def remedy(self, call: str) -> tuple[str, ...] | None:
        """The shortest path of calls that makes `call` legal; None where there is none, or where it is legal already."""
        return self.role.remedy(self.stands_for, call) if call not in self.role.table[self.stands_for] else None


def observed_states(systems: Systems) -> Mapping[str, ObservedState]:
    """The states of an observed role by name, linked to each other."""
    beyond = {each.state.name: each for each in systems.beyond}
    made = {name: ObservedState(name, systems, beyond.get(name)) for name in (*systems.role.table, *beyond)}
    for here in made.values():
        here._all = made
        for call, outcomes in systems.role.table[here.stands_for].items():
            for outcome, after in outcomes.items():
                here._after[f"{call}.{outcome}"] = here.name if after == here.stands_for else after
        for state, call, outcomes in systems.rows:
            if state == here.name:
                here._after.update((f"{call}.{outcome}", after) for outcome, after in outcomes.items())
        here.keeps = frozenset(call for call in here.legal if here.after(call, "ok") is here and not here.misleads(call, "ok"))
    return made


STREAM = observed_states(STREAM_SYSTEMS)
DATAGRAM = observed_states(DATAGRAM_SYSTEMS)
OTHER = observed_states(Systems(PYTHON_SOCKET))
CONNECTED = STREAM["connected"]
