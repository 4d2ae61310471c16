"""Which breakages there are: for every cell of a role, all that can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from lifecycle.engine import Role


class Breakage(StrEnum):
    """What is wrong with one cell of an implementation."""

    DROPS_A_CHECK = "drops a check"
    ACCEPTS = "accepts what is illegal"
    REFUSES = "refuses what is legal"
    WRONG_STATE = "goes to the wrong state"
    MISREPORTS = "misreports an outcome"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One breakage. outcome: of a legal cell, or "" where the call as a whole is broken. to: the wrong state or outcome."""

    role: str
    breakage: Breakage
    state: str
    call: str
    outcome: str = ""
    to: str = ""

    def __str__(self) -> str:
        where = f"{self.role}[{self.state}] {self.call}{'.' if self.outcome else ''}{self.outcome}"
        return f"{where} {self.breakage}{': ' if self.to else ''}{self.to}"


def mutants(role: Role) -> Iterator[Mutant]:
    """Every mutant of `role`: dropped checks, wrong states and outcomes, in the table's order."""
    for state in role.states:
        for call in role.calls:
            outcomes = role.table[state.name].get(call.name)
            if outcomes is None:
                yield Mutant(role.name, Breakage.DROPS_A_CHECK, state.name, call.name)
                yield Mutant(role.name, Breakage.ACCEPTS, state.name, call.name)
                continue
            yield Mutant(role.name, Breakage.REFUSES, state.name, call.name)
            for outcome, after in outcomes.items():
                for other in role.states:
                    if other.name != after:
                        yield Mutant(role.name, Breakage.WRONG_STATE, state.name, call.name, outcome, other.name)
                for wrong in role.outcomes:
                    if wrong.name != outcome:
                        yield Mutant(role.name, Breakage.MISREPORTS, state.name, call.name, outcome, wrong.name)
