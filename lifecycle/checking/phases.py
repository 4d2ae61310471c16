"""A role as a checker follows it: one Phase per state, those included that no legal order leads to.

Objects under a role run its table; a socket that is only watched also goes where the table does not lead. So a phase knows two
things of a call: whether the role allows it, and where it leads on this system all the same (lifecycle.roles.python_systems).
"""

from __future__ import annotations

from collections.abc import Mapping

from lifecycle.engine import Role
from lifecycle.roles.python_socket import PYTHON_SOCKET
from lifecycle.roles.python_systems import DATAGRAM_SYSTEMS, STREAM_SYSTEMS, Beyond, Systems


class Phase:
    """One state of a watched socket.

    legal: the calls that the role allows here; keeps: those whose `ok` also stays here. The rest is as Systems has it.
    """

    __slots__ = (
        "_after",
        "_all",
        "_beyond",
        "final",
        "hangs",
        "keeps",
        "legal",
        "local",
        "name",
        "role",
        "stands_for",
        "takes",
        "tells_late",
    )

    def __init__(self, name: str, systems: Systems, beyond: Beyond | None) -> None:
        self.name = name
        self.role: Role = systems.role
        self.stands_for = name if beyond is None else beyond.like
        self.final = name in systems.role.final
        self.tells_late = name in systems.late
        self.hangs = frozenset(call for state, call in systems.hangs if state == name)
        self._beyond = beyond
        refused = frozenset() if beyond is None else frozenset(beyond.refuses)
        self.legal = frozenset(systems.role.table[self.stands_for]) - refused
        self.takes = frozenset(call for state, call in systems.takes if state == name)
        self.local = frozenset(call for state, call in systems.local if state == name)
        self.keeps: frozenset[str] = frozenset()
        self._after: dict[str, str] = {}  # of texts alone, so that the collector need not look at it
        self._all: Mapping[str, Phase] = {}

    def __repr__(self) -> str:
        return f"<{self.role.name} {self.name}>"

    def after(self, call: str, outcome: str) -> Phase:
        """Where this ending of `call` leads on a real system; what is not listed stays here."""
        name = self._after.get(f"{call}.{outcome}")
        return self if name is None else self._all[name]

    def deceives(self, call: str, outcome: str) -> bool:
        """Whether this ending of a legal call is the late fruit of an order that was illegal."""
        return self._beyond is not None and (call, outcome) in self._beyond.deceives

    def legal_calls(self) -> tuple[str, ...]:
        """The legal calls in the table's order."""
        return tuple(call.name for call in self.role.calls if call.name in self.legal)

    def reason(self, call: str) -> str:
        """Why `call` is wrong here, or ""."""
        if self._beyond is None:
            return self.role.reason(self.name, call)
        return self._beyond.refuses.get(call) or self._beyond.state.reason

    def remedy(self, call: str) -> tuple[str, ...] | None:
        """The shortest path of calls that makes `call` legal; None where there is none, or where it is legal already."""
        return self.role.remedy(self.stands_for, call) if call not in self.role.table[self.stands_for] else None


def phases(systems: Systems) -> Mapping[str, Phase]:
    """The phases of a role by name, linked to each other."""
    beyond = {each.state.name: each for each in systems.beyond}
    made = {name: Phase(name, systems, beyond.get(name)) for name in (*systems.role.table, *beyond)}
    for phase in made.values():
        phase._all = made
        for call, outcomes in systems.role.table[phase.stands_for].items():
            for outcome, after in outcomes.items():
                phase._after[f"{call}.{outcome}"] = phase.name if after == phase.stands_for else after
        for state, call, outcomes in systems.rows:
            if state == phase.name:
                phase._after.update((f"{call}.{outcome}", after) for outcome, after in outcomes.items())
        phase.keeps = frozenset(
            call for call in phase.legal if phase.after(call, "ok") is phase and not phase.deceives(call, "ok")
        )
    return made


STREAM = phases(STREAM_SYSTEMS)
DATAGRAM = phases(DATAGRAM_SYSTEMS)
OTHER = phases(Systems(PYTHON_SOCKET))
