"""The suite as a Hypothesis state machine: one rule per call, legal and illegal, and one per peer action.

    from lifecycle import CLIENT
    from lifecycle.conformance import GovernedAdapter, conformance_machine

    TestClient = conformance_machine(CLIENT, GovernedAdapter).TestCase

The first use of a rule in an example makes its call at a node where it reaches the least reached cells, moving there along the
graph, on a new object if necessary. Later uses make the call at the node where the object is; objects begin in a different node
in each example. So every cell is reached in a run of the default length, and none is left to chance. The cells are part of a
plan, whose number the example draws: the same number gives the same calls, so that a failure can be repeated and shrunk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lifecycle.conformance.adapters.peers import KINDS
from lifecycle.conformance.adapters.protocol import Adapter, made_by
from lifecycle.conformance.driving.results import snippet
from lifecycle.conformance.driving.run import Divergence, NonConformance, Run
from lifecycle.conformance.driving.sequences import model_for, shrunk
from lifecycle.conformance.driving.steering import Coverage, Goals, Plan, Steering
from lifecycle.conformance.model.environment import PeerAction, Provocation
from lifecycle.conformance.model.environments import MESSAGE, RECEIVE_SIZE
from lifecycle.conformance.model.graph import ILLEGAL, Cell, Edge, Model, case_id
from lifecycle.engine import Role
from lifecycle.engine.role import checked_role
from lifecycle.roles.words import RECEIVE, RECEIVE_FROM, SEND

Strategies = Mapping[str, st.SearchStrategy[tuple[Any, ...]]]
"""a call without circumstances -> strategies for its arguments, all of which must have the same outcome"""

_SIZES = st.tuples(st.integers(len(MESSAGE), RECEIVE_SIZE))
DEFAULT_STRATEGIES: Strategies = {
    SEND.name: st.tuples(st.binary(min_size=1, max_size=64)),
    RECEIVE.name: _SIZES,
    RECEIVE_FROM.name: _SIZES,
}


class Opening:
    """The adapter of a machine: made when the first example needs it, and shared by all examples."""

    def __init__(self, make: Callable[[], Adapter]) -> None:
        self.make = make
        self._adapter: Adapter | None = None

    @property
    def adapter(self) -> Adapter:
        """The adapter."""
        if self._adapter is None:
            self._adapter = made_by(self.make)
        return self._adapter

    def close(self) -> None:
        """Close it; it is made anew when it is needed again."""
        if self._adapter is not None:
            self._adapter.close()
            self._adapter = None


class ConformanceMachine(RuleBasedStateMachine):
    """The base class of the machines that conformance_machine() makes."""

    models: ClassVar[tuple[Model, ...]]
    coverage: ClassVar[Coverage]
    opening: ClassVar[Opening]
    steering: ClassVar[Steering]

    def __init__(self) -> None:
        super().__init__()
        self._runs = [Run(self.opening.adapter, model) for model in self.models]
        self._last: list[Edge | None] = [None] * len(self.models)
        self._plan = Plan()
        self._recorded: set[Cell] = set()
        self._homed: set[int] = set()
        self._uses: Counter[tuple[int, str]] = Counter()

    @initialize(number=st.integers(0, 2**64 - 1))
    def plan(self, number: int) -> None:
        """Use the plan with that number: the cells that the rules are to reach."""
        self._plan = self.steering.plan(number)

    def teardown(self) -> None:
        """Close the objects at the end of an example."""
        for run in self._runs:
            run.close()

    @invariant()
    def every_object_agrees_with_its_table(self) -> None:
        """The state and the legal calls of each object are those of the table, also after a step of another object."""
        for number, (run, last) in enumerate(zip(self._runs, self._last, strict=True)):
            if last is not None:
                self._must_agree(number, run.look(last))

    def use_rule(self, number: int, call: str, goals: Goals, arguments: tuple[Any, ...] | None = None) -> None:
        """Make `call` on the object with that number: the first time at the cells of the plan, later where the object is."""
        use = self._uses[number, call]
        self._uses[number, call] += 1
        meant = () if use else self.steering.goals(self._plan, number, call, goals)
        if meant:
            for goal in meant:
                self._reach(number, goal, arguments)
            return
        node = self._runs[number].node
        if node.is_final or node is self.models[number].start:
            self._go_home(number)
        here = self.steering.nearby(self._runs[number].node).calls.get(call)
        if here:
            self._go(number, (here[use % len(here)],), arguments)

    def _reach(self, number: int, goal: Cell, arguments: tuple[Any, ...] | None) -> None:
        way = self.steering.nearby(self._runs[number].node).ways.get(goal)
        if way is None:
            self._begin_again(number)
            way = self.models[number].sequence_for(goal)
        self._go(number, way, arguments)

    def _go_home(self, number: int) -> None:
        model = self.models[number]
        if self._runs[number].steps:
            self._begin_again(number)
        home = self.steering.home(self._plan, number, model, again=number in self._homed)
        self._homed.add(number)
        self._go(number, model.way_to(home), None)

    def _go(self, number: int, way: Sequence[Edge], arguments: tuple[Any, ...] | None) -> None:
        for edge in way:
            if not self._take(number, edge, arguments if edge is way[-1] else None):
                break

    def act(self, number: int, action: str) -> None:
        """Make the peer of the object with that number act, if it can."""
        edge = self._runs[number].node.edge(action)
        if edge is not None:
            self._take(number, edge, None)

    def _take(self, number: int, edge: Edge, arguments: tuple[Any, ...] | None) -> bool:
        """Make one step; return whether the object has moved along it.

        If not, it has begun again. A refused or failed call may have changed a socket of the system.
        """
        self._last[number] = edge
        if arguments is not None and isinstance(edge.step, Provocation) and not edge.step.how:
            edge = replace_arguments(edge, edge.step, arguments)
        divergence = self._runs[number].take(edge)
        self._must_agree(number, divergence)
        if edge.is_call:
            self.coverage.count(edge, divergence)
            self._record(edge)
        may_have_changed = edge.outcome in (ILLEGAL, "failed") and not self.opening.adapter.governed
        goes_on = divergence is None and not may_have_changed
        if not goes_on:
            self._begin_again(number)
        return goes_on

    def _record(self, edge: Edge) -> None:
        if edge.cell not in self._recorded:
            self._recorded.add(edge.cell)
            event(case_id(edge.role, edge.cell))

    def _begin_again(self, number: int) -> None:
        self._runs[number].close()
        self._runs[number] = Run(self.opening.adapter, self.models[number])
        self._last[number] = None

    def _must_agree(self, number: int, divergence: Divergence | None) -> None:
        if divergence is not None and not divergence.explanation:
            self.steering.failed(self._plan)
            divergence = shrunk(self.opening.adapter, self.models[number], divergence)
            raise NonConformance(divergence, f"{divergence}\n\n{snippet(self.opening.make, divergence)}")


def conformance_machine(
    role: Role | Sequence[Role],
    adapter: Callable[[], Adapter],
    *,
    strategies: Strategies | None = None,
) -> type[ConformanceMachine]:
    """A Hypothesis state machine for objects of a role, or of several at once.

    role: several (server, accepted and client; or datagram twice) are run side by side, each object among its own peers.
    adapter: makes the implementation's adapter, once for a run. strategies: the arguments to draw for each call made without
    circumstances; by default those of the adapter's method strategies(role), if it has one, or those for the roles of sockets.
    Its TestCase is a test; run_machine() runs it without one.
    """
    roles = tuple(map(checked_role, (role,) if isinstance(role, (Role, str, type)) else role))
    opening = Opening(adapter)
    try:
        models = tuple(model_for(opening.adapter, each) for each in roles)
        drawn = [strategies_of(opening.adapter, each) if strategies is None else strategies for each in roles]
    finally:
        opening.close()
    coverage = Coverage(models)
    steering = Steering(coverage, len(models))
    namespace: dict[str, Any] = {"models": models, "coverage": coverage, "opening": opening, "steering": steering}
    as_rule: Any = rule  # its overloads do not accept keywords in a dict
    for number, model in enumerate(models):
        subject = f"{model.role.name}{number + 1 if roles.count(model.role) > 1 else ''}"
        for name, step, keywords in _rules(number, model, drawn[number]):
            step.__name__ = step.__qualname__ = f"{subject}_{name}"  # Hypothesis identifies and prints rules by it
            namespace[step.__name__] = as_rule(**keywords)(step)
    name = "".join(each.role.name.title().replace("_", "") for each in models) + "Machine"
    machine: type[ConformanceMachine] = type(name, (ConformanceMachine,), namespace)
    test_case: Any = machine.TestCase  # each machine has its own
    test_case.coverage, test_case.tearDown = machine.coverage, _finish(machine)
    return machine


def _finish(machine: type[ConformanceMachine]) -> Callable[[object], None]:
    def finish(test_case: object) -> None:
        """Close the adapter, and print the coverage."""
        machine.opening.close()
        print(machine.coverage.table())

    return finish


def strategies_of(adapter: Adapter, role: Role) -> Strategies:
    """The strategies for the calls of `role`: the adapter's own, or the default ones for the roles of sockets."""
    choose: Callable[[Role], Strategies] | None = getattr(adapter, "strategies", None)
    if choose is not None:
        return choose(role)
    return DEFAULT_STRATEGIES if role.name in KINDS else {}


def run_machine(machine: type[ConformanceMachine], chosen: settings | None = None) -> Coverage:
    """Run the machine with its own settings or the given ones; return its coverage.

    Raises NonConformance, shrunk, if the implementation differs.
    """
    try:
        run_state_machine_as_test(machine, settings=chosen)
    finally:
        machine.opening.close()
    return machine.coverage


def replace_arguments(edge: Edge, step: Provocation, arguments: tuple[Any, ...]) -> Edge:
    """The edge with other arguments that have the same outcome."""
    return Edge(replace(step, arguments=arguments), edge.outcome, edge.gives, edge.role, edge.source, edge.target)


Rule = tuple[str, Callable[..., None], dict[str, st.SearchStrategy[Any]]]
"""a name, the function of the rule, and the strategies for its arguments"""


def _rules(number: int, model: Model, strategies: Strategies) -> Iterator[Rule]:
    for call in model.role.calls:
        goals = {cell: edge for cell, edge in model.first_edges.items() if cell[1] == call.name}
        if goals:
            yield call.name, *_call_rule(number, call.name, goals, strategies.get(call.name))
    for action in model.environment.peer_actions:
        yield action.name, _peer_rule(number, action), {}


def _call_rule(
    subject: int, call: str, goals: Goals, arguments: st.SearchStrategy[tuple[Any, ...]] | None
) -> tuple[Callable[..., None], dict[str, st.SearchStrategy[Any]]]:
    if arguments is None:

        def step(self: ConformanceMachine) -> None:
            self.use_rule(subject, call, goals)

        return step, {}

    def step_with_arguments(self: ConformanceMachine, arguments: tuple[Any, ...]) -> None:
        self.use_rule(subject, call, goals, arguments)

    return step_with_arguments, {"arguments": arguments}


def _peer_rule(number: int, action: PeerAction) -> Callable[[ConformanceMachine], None]:
    def step(self: ConformanceMachine) -> None:
        self.act(number, action.name)

    return step
