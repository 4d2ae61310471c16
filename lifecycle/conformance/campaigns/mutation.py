"""Mutants: one cell of a table or of an implementation is broken at a time, and a suite must find each of them.

`mutants(role)` are the faults that an implementation can have in each cell; score_role() breaks the package's classes so and
runs the conformance suite on them. `table_mutants(role)` are the faults that the table itself can have; the tests of the
tables try those.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lifecycle.conformance.adapters.governed import CLASSES, GovernedAdapter
from lifecycle.conformance.adapters.protocol import Answer, Stage
from lifecycle.conformance.campaigns.spoiling import is_spoiling_found, spoiled_calls
from lifecycle.conformance.driving.run import Run
from lifecycle.conformance.driving.sequences import model_for, sequences
from lifecycle.conformance.model.environment import Facts, Provocation
from lifecycle.conformance.model.graph import ILLEGAL, Cell, Edge, Model
from lifecycle.conformance.model.local_environments import LOCAL_ENVIRONMENTS
from lifecycle.engine import Role
from lifecycle.engine.table import default_engine, replace_row
from lifecycle.roles import ROLES


class Breakage(StrEnum):
    """The ways to break one cell."""

    DROPS_A_CHECK = "drops a check"
    ACCEPTS = "accepts what is illegal"
    REFUSES = "refuses what is legal"
    WRONG_STATE = "goes to the wrong state"
    MISREPORTS = "misreports an outcome"
    SPOILS = "spoils a value"
    LACKS = "lacks an outcome"
    ADDS = "adds an outcome"


OF_IMPLEMENTATIONS = tuple(Breakage)[:6]
"""the breakages of an implementation whose table is right"""


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

    def row(self, role: Role) -> dict[str, str] | None:
        """The outcomes of the broken call, with their next states; None where the call is not legal any more."""
        row = dict(role.table[self.state].get(self.call, {}))
        match self.breakage:
            case Breakage.DROPS_A_CHECK:
                return {outcome.name: self.state for outcome in role.outcomes}
            case Breakage.REFUSES:
                return None
            case Breakage.WRONG_STATE | Breakage.ADDS:
                row[self.outcome] = self.to
            case Breakage.LACKS:
                del row[self.outcome]
        return row or None


def mutants(role: Role) -> Iterator[Mutant]:
    """Every mutant of an implementation of `role`, in the table's order."""
    for state in role.states:
        for call in role.calls:
            outcomes = role.table[state.name].get(call.name)
            if outcomes is None:
                yield Mutant(role.name, Breakage.DROPS_A_CHECK, state.name, call.name)
                yield Mutant(role.name, Breakage.ACCEPTS, state.name, call.name)
                continue
            yield Mutant(role.name, Breakage.REFUSES, state.name, call.name)
            for outcome, after in outcomes.items():
                yield from _led_astray(role, state.name, call.name, outcome, after)
                for wrong in role.outcomes:
                    if wrong.name != outcome:
                        yield Mutant(role.name, Breakage.MISREPORTS, state.name, call.name, outcome, wrong.name)


def table_mutants(role: Role) -> Iterator[Mutant]:
    """Every mutant of the table of `role`: an outcome deleted, led to each other state, or added with each next state."""
    for state in role.states:
        for call in role.calls:
            outcomes = role.table[state.name].get(call.name, {})
            for outcome in role.outcomes:
                if outcome.name in outcomes:
                    yield Mutant(role.name, Breakage.LACKS, state.name, call.name, outcome.name)
                    yield from _led_astray(role, state.name, call.name, outcome.name, outcomes[outcome.name])
                else:
                    for after in role.states:
                        yield Mutant(role.name, Breakage.ADDS, state.name, call.name, outcome.name, after.name)


def _led_astray(role: Role, state: str, call: str, outcome: str, after: str) -> Iterator[Mutant]:
    for other in role.states:
        if other.name != after:
            yield Mutant(role.name, Breakage.WRONG_STATE, state, call, outcome, other.name)


def broken_role(role: Role, mutant: Mutant) -> Role:
    """The role with that cell changed; RoleError where that is not a role."""
    rows = {(state, call): dict(outcomes) for state, calls in role.table.items() for call, outcomes in calls.items()}
    row = mutant.row(role)
    if row is None:
        del rows[mutant.state, mutant.call]
    else:
        rows[mutant.state, mutant.call] = row
    return Role(
        name=role.name,
        doc=role.doc,
        states=role.states,
        calls=role.calls,
        rows=tuple((state, call, outcomes) for (state, call), outcomes in rows.items()),
        initial=role.initial,
        final=role.final,
        closes=role.closes,
        outcomes=role.outcomes,
        reasons={cell: reason for cell, reason in role.reasons.items() if cell not in rows},
    )


@dataclass(slots=True)
class Score:
    """How many mutants of one role were caught, by breakage and by what caught them; the survivors; and the time taken."""

    role: str
    caught: Counter[Breakage] = field(default_factory=Counter)
    caught_by: Counter[str] = field(default_factory=Counter)
    survivors: list[Mutant] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """How many mutants there were."""
        return self.caught.total() + len(self.survivors)


Catches = Callable[[Mutant], str]
"""Returns what has caught a mutant, or "" if it survives"""

Progress = Callable[[int, int], None]
"""Called with (how many are done, of how many)"""


def score(role: str, chosen: Iterable[Mutant], catches: Catches, progress: Progress = lambda done, total: None) -> Score:
    """Try every chosen mutant."""
    result, every, began = Score(role), list(chosen), time.perf_counter()
    for number, mutant in enumerate(every):
        check = catches(mutant)
        if check:
            result.caught[mutant.breakage] += 1
            result.caught_by[check] += 1
        else:
            result.survivors.append(mutant)
        if number % 64 == 63:
            progress(number + 1, len(every))
    progress(len(every), len(every))
    result.seconds = time.perf_counter() - began
    return result


def score_role(
    role: Role,
    kind: type[Any] | None = None,
    *,
    engine: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Score:
    """Break the class of `role` in every way, one at a time, and run the suite until it finds it.

    kind: the class, by default the package's own. engine: which runs its objects.
    """
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # objects that a broken table has dropped are collected
        suites = []
        for local in (False, True) if role.name in LOCAL_ENVIRONMENTS else (False,):
            adapter = BrokenAdapter(role, CLASSES[role.name] if kind is None else kind, engine, local=local)
            stack.enter_context(closing(adapter))
            suites.append(Suite(adapter, model_for(adapter, role)))

        def catches(mutant: Mutant) -> str:
            return next((suite for suite in suites if suite.reaches(mutant)), suites[0]).catches(mutant)

        spoiling = (Mutant(role.name, Breakage.SPOILS, "", call, to=name) for call, name in spoiled_calls(role))
        return score(role.name, (*mutants(role), *spoiling), catches, progress)


def can_be_broken(role: str) -> bool:
    """Whether the package's class of that role can be broken on this system."""
    return role in CLASSES


class Suite:
    """The suite's sequences, in the order in which they are tried on a mutant: those through its cell first."""

    def __init__(self, adapter: BrokenAdapter, model: Model) -> None:
        self._adapter = adapter
        self._model = model
        self._sequences = tuple(sequences(model, 1))
        self._through: Mapping[Cell, tuple[Edge, ...]] = {sequence[-1].cell: sequence for sequence in self._sequences}
        self._by_call: dict[tuple[str, str], list[tuple[Edge, ...]]] = {}
        for sequence in self._sequences:
            state, call, _ = sequence[-1].cell
            self._by_call.setdefault((state, call), []).append(sequence)

    def reaches(self, mutant: Mutant) -> bool:
        """Whether a sequence ends with the broken cell: some are reached over Unix-domain sockets only."""
        if mutant.outcome:
            return (mutant.state, mutant.call, mutant.outcome) in self._through
        return (mutant.state, mutant.call) in self._by_call

    def catches(self, mutant: Mutant) -> str:
        """What catches `mutant`: the suite, or the check of the objects' own reports; "" if it survives."""
        if mutant.breakage is Breakage.SPOILS:
            return "the data cells" if self._adapter.spoils(mutant) else ""
        with self._adapter.broken(mutant):
            if self._any_fails(mutant):
                return "the suite"
            with self._adapter.watched():
                return "what objects report" if self._any_fails(mutant) else ""

    def _any_fails(self, mutant: Mutant) -> bool:
        return any(self._fails(sequence) for sequence in self._for(mutant))

    def _fails(self, sequence: tuple[Edge, ...]) -> bool:
        with Run(self._adapter, self._model) as run:
            return run.follow(sequence) is not None

    def _for(self, mutant: Mutant) -> Iterator[tuple[Edge, ...]]:
        nearest = self._through.get((mutant.state, mutant.call, mutant.outcome or ILLEGAL))
        if nearest is not None:
            yield nearest
        yield from self._by_call.get((mutant.state, mutant.call), ())
        yield from self._sequences


class BrokenStage:
    """A stage whose object gives broken answers; its table may be broken, too."""

    def __init__(self, stage: Stage, adapter: BrokenAdapter) -> None:
        self._stage: Any = stage
        self._adapter = adapter
        self._mutant = adapter.mutant

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def call(self, provocation: Provocation) -> Answer:
        """Make the call, and break the answer where the mutant says so."""
        mutant = self._mutant
        is_broken = mutant is not None and (provocation.call, self.state) == (mutant.call, mutant.state)
        if mutant is not None and is_broken and mutant.breakage is Breakage.ACCEPTS:
            return Answer("ok")
        answer: Answer = self._stage.call(provocation)
        if mutant is not None and is_broken and mutant.breakage is Breakage.MISREPORTS and answer.outcome == mutant.outcome:
            return answer._replace(outcome=mutant.to)
        return answer

    def settle(self, facts: Facts) -> None:
        """Wait for the effects of others' actions."""
        if hasattr(self._stage, "settle"):
            self._stage.settle(facts)

    def close(self) -> None:
        """Release what the object holds, and close it by the table as it is declared."""
        self._stage.subject._release()
        with self._adapter.intact():
            self._stage.close()


class BrokenAdapter(GovernedAdapter):
    """The package's class of one role, over a table of its own that can be broken."""

    def __init__(self, role: Role, kind: type[Any], engine: str | None, *, local: bool = False) -> None:
        self._own = copy.deepcopy(role)
        self._kind = kind
        self._engine_name = engine
        self._name = default_engine() if engine is None else engine
        self.mutant: Mutant | None = None
        namespace = {"__slots__": (), "__del__": _do_nothing}
        super().__init__({role.name: type(kind.__name__, (kind,), namespace, role=self._own)}, engine=engine, local=local)

    def stage(self, role: Role) -> Any:
        """A new broken object."""
        return BrokenStage(super().stage(role), self)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Check the objects' own reports, too, while the block runs."""
        self._is_watched = True
        try:
            yield
        finally:
            self._is_watched = False

    def spoils(self, mutant: Mutant) -> bool:
        """Whether a data cell finds the value that a call spoils."""
        return is_spoiling_found(ROLES[mutant.role], self._kind, mutant.call, mutant.to, self._engine_name)

    @contextmanager
    def broken(self, mutant: Mutant) -> Iterator[None]:
        """Break what the mutant names while the block runs."""
        self.mutant = mutant
        self._run_row(mutant, is_broken=True)
        try:
            yield
        finally:
            self._run_row(mutant, is_broken=False)

    @contextmanager
    def intact(self) -> Iterator[None]:
        """Run the table as it is declared while the block runs."""
        mutant = self.mutant
        if mutant is None:
            yield
            return
        self._run_row(mutant, is_broken=False)
        try:
            yield
        finally:
            self._run_row(mutant, is_broken=True)

    def _run_row(self, mutant: Mutant, *, is_broken: bool) -> None:
        if mutant.breakage not in (Breakage.ACCEPTS, Breakage.MISREPORTS):  # which break the answer, not the table
            declared = self._own.table[mutant.state].get(mutant.call)
            row = mutant.row(self._own) if is_broken else declared
            replace_row(self._own, self._name, mutant.state, mutant.call, row)


def _do_nothing(self: object) -> None:
    """A broken object closes nothing when it is collected: its table no longer says whether it should."""
