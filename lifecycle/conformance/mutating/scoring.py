"""Breaks the package's classes in every way there is, and counts the breakages that the suite finds."""

from __future__ import annotations

import copy
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from lifecycle.conformance.adapters.governed import CLASSES, GovernedAdapter
from lifecycle.conformance.adapters.protocol import Adapter, Answer, Stage
from lifecycle.conformance.model.environment import Facts, Provocation
from lifecycle.conformance.model.graph import ILLEGAL, Cell, Edge, Model
from lifecycle.conformance.mutating.mutants import Breakage, Mutant, mutants
from lifecycle.conformance.mutating.tables import TABLES, changed
from lifecycle.conformance.running.exhaustive import model_for, sequences
from lifecycle.conformance.running.run import Run
from lifecycle.engine import LifecycleError, Role
from lifecycle.engine.table import StateNode, default_engine, initial_node


@dataclass(slots=True)
class Score:
    """How many mutants of one role the suite has caught, by breakage; the survivors; and how long it took."""

    role: str
    caught: Counter[Breakage] = field(default_factory=Counter)
    survivors: list[Mutant] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """How many mutants there were."""
        return self.caught.total() + len(self.survivors)


class BrokenStage:
    """A stage whose object is broken in what it answers; its table may be broken, too."""

    def __init__(self, stage: Stage, mutant: Mutant | None, final_row: StateNode) -> None:
        self._stage: Any = stage
        self._mutant = mutant
        self._final_row = final_row

    @property
    def state(self) -> str | None:
        """The object's state."""
        state: str | None = self._stage.state
        return state

    @property
    def legal(self) -> tuple[str, ...] | None:
        """What the object says is legal."""
        legal: tuple[str, ...] | None = self._stage.legal
        return legal

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

    def act(self, action: str) -> None:
        """Let the peer do something."""
        self._stage.act(action)

    def settle(self, facts: Facts) -> None:
        """Let what others do come."""
        if hasattr(self._stage, "settle"):
            self._stage.settle(facts)

    def close(self) -> None:
        """Give back what the object holds, whatever its broken table says."""
        subject = self._stage.subject
        subject._release()
        subject._row = self._final_row
        with suppress(LifecycleError):  # the broken table refuses to close what has nothing left to close
            self._stage.close()


class BrokenAdapter(GovernedAdapter):
    """The package's class of one role, over a table of its own that can be broken."""

    def __init__(self, role: Role, kind: type[Any], engine: str | None) -> None:
        own = copy.deepcopy(role)
        super().__init__(
            {role.name: type(kind.__name__, (kind,), {"__slots__": (), "__del__": _forget}, role=own)}, engine=engine
        )
        self.mutant: Mutant | None = None
        self._role = role
        self._table = TABLES[default_engine() if engine is None else engine](own)
        self._final_row = next(_final_rows(initial_node(own, engine)))

    def stage(self, role: Role) -> BrokenStage:  # type: ignore[override]  # which is a Stage as well
        """A new broken object."""
        return BrokenStage(super().stage(role), self.mutant, self._final_row)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at what objects themselves report, too, as long as the block runs."""
        self._is_watched = True
        try:
            yield
        finally:
            self._is_watched = False

    def broken(self, mutant: Mutant) -> AbstractContextManager[None]:
        """Break what the mutant says, as long as the block runs."""
        self.mutant = mutant
        table, state, call = self._role.table, mutant.state, mutant.call
        outcomes: dict[str, str] | None
        match mutant.breakage:
            case Breakage.DROPS_A_CHECK:
                outcomes = {outcome.name: state for outcome in self._role.outcomes}
            case Breakage.REFUSES:
                outcomes = None
            case Breakage.WRONG_STATE:
                outcomes = {**table[state][call], mutant.outcome: mutant.to}
            case _:
                return nullcontext()
        return changed(self._table, self._role, state, call, outcomes)


def _forget(self: object) -> None:
    """A broken object closes nothing when it is collected: its table does not tell any more whether it should."""


def _final_rows(row: Any) -> Iterator[Any]:
    seen, queue = {row}, [row]
    while queue:
        row = queue.pop()
        if row._final:
            yield row
        for outcomes in row._cells.values():
            queue.extend(after for after in outcomes.values() if after not in seen)
            seen.update(outcomes.values())


def can_be_broken(role: str) -> bool:
    """Whether the package's class of that role can be broken here."""
    return role in CLASSES


def score(
    role: Role,
    kind: type[Any] | None = None,
    *,
    engine: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Score:
    """Break the class of `role` in every way, one at a time, and run the suite until it finds it.

    kind: the class, by default the package's own. engine: which runs its objects. progress: told (how many are done, of how
    many).
    """
    adapter = BrokenAdapter(role, CLASSES[role.name] if kind is None else kind, engine)
    result = Score(role.name)
    began = time.perf_counter()
    with closing(adapter), warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # what a broken table lets go of is collected
        plan = Plan(model_for(adapter, role))
        every = list(mutants(role))
        for number, mutant in enumerate(every):
            if plan.catches(adapter, mutant):
                result.caught[mutant.breakage] += 1
            else:
                result.survivors.append(mutant)
            if number % 64 == 63:
                progress(number + 1, len(every))
        progress(len(every), len(every))
    result.seconds = time.perf_counter() - began
    return result


class Plan:
    """The suite's sequences, in the order in which they are tried on a mutant: those through its cell first."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._suite = tuple(sequences(model, 1))
        self._through: Mapping[Cell, tuple[Edge, ...]] = {sequence[-1].cell: sequence for sequence in self._suite}
        self._by_call: dict[tuple[str, str], list[tuple[Edge, ...]]] = {}
        for sequence in self._suite:
            state, call, _ = sequence[-1].cell
            self._by_call.setdefault((state, call), []).append(sequence)

    def catches(self, adapter: BrokenAdapter, mutant: Mutant) -> bool:
        """Whether a sequence of the suite fails while `mutant` is broken, or what objects report does; else it survives."""
        with adapter.broken(mutant):
            if self._any_fails(adapter, mutant):
                return True
            with adapter.watched():
                return self._any_fails(adapter, mutant)

    def _any_fails(self, adapter: Adapter, mutant: Mutant) -> bool:
        return any(_fails(adapter, self._model, sequence) for sequence in self._for(mutant))

    def _for(self, mutant: Mutant) -> Iterator[tuple[Edge, ...]]:
        nearest = self._through.get((mutant.state, mutant.call, mutant.outcome or ILLEGAL))
        if nearest is not None:
            yield nearest
        yield from self._by_call.get((mutant.state, mutant.call), ())
        yield from self._suite


def _fails(adapter: Adapter, model: Model, sequence: tuple[Edge, ...]) -> bool:
    with Run(adapter, model) as run:
        return run.follow(sequence) is not None
