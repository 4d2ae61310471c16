"""The suite as a Hypothesis state machine: one rule per call, legal and illegal, and one per peer action.

    from lifecycle import CLIENT
    from lifecycle.conformance import GovernedAdapter, conformance_machine

    TestClient = conformance_machine(CLIENT, GovernedAdapter).TestCase

A rule makes its call where it reaches a cell that was never reached so far, and else in the present situation or near it. Where
the cell is near, the machine goes there by the graph; else it begins a new object and takes the shortest sequence. So every
cell is reached in a run of the default length, and none is left to chance. From the first failure on, the n-th use of a rule
in an example means what it meant then, so that the failure can be had again and shrunk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.model.environment import PeerAction, Provocation
from lifecycle.conformance.model.graph import Cell, Edge, Model, Node
from lifecycle.conformance.replaying import snippet
from lifecycle.conformance.running.divergence import Divergence, NonConformance
from lifecycle.conformance.running.exhaustive import model_for
from lifecycle.conformance.running.run import Run
from lifecycle.conformance.vocabulary.handles import MESSAGE, RECEIVE_SIZE
from lifecycle.engine import Role

Strategies = Mapping[str, st.SearchStrategy[tuple[Any, ...]]]
"""a call, made in the plain way -> its arguments, all of which must have the same outcome"""

DEFAULT_STRATEGIES: Strategies = {
    "send": st.tuples(st.binary(min_size=1, max_size=64)),
    "receive": st.tuples(st.integers(len(MESSAGE), RECEIVE_SIZE)),
    "receive_from": st.tuples(st.integers(len(MESSAGE), RECEIVE_SIZE)),
}

HERE_SHARE = 6
"""one use of a rule in so many is made in the present situation"""

SLOWNESS = 8
"""a cell that takes milliseconds counts as if it had been reached so many times"""

Goals = Mapping[Cell, Edge]
"""the cells of one call, and the edge that covers each first"""


class Coverage:
    """Which cells the objects of a machine have reached, of those there are."""

    def __init__(self, models: Sequence[Model]) -> None:
        self.possible = {(model.role.name, *cell) for model in models for cell in model.first_edges}
        self.states = {(model.role.name, state.name) for model in models for state in model.role.states}
        self.reached: Counter[tuple[str, str, str, str]] = Counter()

    @property
    def reached_states(self) -> set[tuple[str, str]]:
        """Every (role, state) in which a call was made."""
        return {(role, state) for role, state, _, _ in self.reached}

    def table(self) -> str:
        """One line a role: cells and states reached, of how many."""
        lines = []
        for role in dict.fromkeys(role for role, _ in sorted(self.states)):
            cells = [cell for cell in self.possible if cell[0] == role]
            states = [state for state in self.states if state[0] == role]
            reached = sum(cell in self.reached for cell in cells)
            seen = sum(state in self.reached_states for state in states)
            lines.append(
                f"{role:12} {reached}/{len(cells)} cells ({reached / max(len(cells), 1):.1%}), {seen}/{len(states)} states"
            )
        return "\n".join(lines)


Meanings = dict[tuple[int, str, int], Cell | None]
"""(which object, call, which use of its rule in an example) -> the cell that is meant; None for the present situation"""


class Steering:
    """Which cell a rule is to reach."""

    def __init__(self) -> None:
        self._times: Counter[tuple[int, Cell]] = Counter()
        self._frozen: Meanings | None = None

    def goal(self, meanings: Meanings, subject: int, call: str, use: int, goals: Goals, near: Container[Cell]) -> Cell | None:
        """The cell of `goals` that this use of the rule means, in an example that has these meanings so far.

        It is one that was never reached; where there is none, the one that was reached least of those that are `near`, so that
        histories grow long.
        """
        meanings = meanings if self._frozen is None else self._frozen
        key = (subject, call, use)
        if key not in meanings:
            here = use % HERE_SHARE == HERE_SHARE - 1
            meanings[key] = goal = None if here else min(goals, key=lambda cell: self._rank(subject, cell, near))
            if goal is not None:
                self._times[subject, goal] += SLOWNESS if goals[goal].is_slow else 1
        return meanings[key]

    def _rank(self, subject: int, cell: Cell, near: Container[Cell]) -> tuple[bool, bool, int]:
        times = self._times[subject, cell]
        return times > 0, cell not in near, times

    def freeze(self, meanings: Meanings) -> None:
        """From now on every use means what it meant in this example, which has failed."""
        if self._frozen is None:
            self._frozen = meanings


class Opening:
    """The adapter of a machine, which is made when the first example needs it and serves them all."""

    def __init__(self, make: Callable[[], Adapter]) -> None:
        self._make = make
        self._adapter: Adapter | None = None

    @property
    def adapter(self) -> Adapter:
        """The adapter."""
        if self._adapter is None:
            self._adapter = self._make()
        return self._adapter

    def close(self) -> None:
        """Close it; it is made again when it is needed again."""
        if self._adapter is not None:
            self._adapter.close()
            self._adapter = None


class ConformanceMachine(RuleBasedStateMachine):
    """What every conformance machine shares; conformance_machine() makes one."""

    models: ClassVar[tuple[Model, ...]]
    coverage: ClassVar[Coverage]
    opening: ClassVar[Opening]
    steering: ClassVar[Steering]

    def __init__(self) -> None:
        super().__init__()
        self._runs = [Run(self.opening.adapter, model) for model in self.models]
        self._last: list[Edge | None] = [None] * len(self.models)
        self._meanings: Meanings = {}
        self._uses: Counter[tuple[int, str]] = Counter()

    def teardown(self) -> None:
        """Close the objects at the end of an example."""
        for run in self._runs:
            run.close()

    @invariant()
    def every_object_tells_what_is_legal(self) -> None:
        """Each object's state and legal calls are those of the table, whichever object the last step was made on."""
        for run, last in zip(self._runs, self._last, strict=True):
            if last is not None:
                self._must_agree(run.look(last))

    def goal(self, subject: int, call: str, goals: Goals) -> Cell | None:
        """The cell that the rule of a call is to reach now; None for the present situation."""
        use = self._uses[subject, call]
        self._uses[subject, call] += 1
        return self.steering.goal(self._meanings, subject, call, use, goals, _near(self._runs[subject].node))

    def make_call(self, number: int, call: str, goal: Cell | None, arguments: tuple[Any, ...] | None = None) -> None:
        """Make `call` on the object of that number, in the present situation or where it reaches `goal`."""
        run = self._runs[number]
        way = _calls_here(run.node, call) if goal is None else _near(run.node).get(goal, ())
        if goal is not None and not way:
            run = self._begin_again(number)
            way = self.models[number].sequence_for(goal)
        for edge in way:
            self._take(number, run, edge, arguments if edge is way[-1] else None)

    def act(self, number: int, action: str) -> None:
        """Let the peer of the object of that number do something, where it can."""
        run = self._runs[number]
        edge = run.node.edge(action)
        if edge is not None:
            self._take(number, run, edge, None)

    def _take(self, number: int, run: Run, edge: Edge, arguments: tuple[Any, ...] | None) -> None:
        self._last[number] = edge
        if arguments is not None and isinstance(edge.step, Provocation) and not edge.step.how:
            edge = replace_arguments(edge, edge.step, arguments)
        self._must_agree(run.take(edge))
        if edge.is_call:
            cell = (edge.role, *edge.cell)
            self.coverage.reached[cell] += 1
            event(".".join(cell))

    def _begin_again(self, number: int) -> Run:
        self._runs[number].close()
        run = self._runs[number] = Run(self.opening.adapter, self.models[number])
        self._last[number] = None
        return run

    def _must_agree(self, divergence: Divergence | None) -> None:
        if divergence is not None and not divergence.explanation:
            self.steering.freeze(self._meanings)
            raise NonConformance(divergence, f"{divergence}\n\n{snippet(divergence.adapter, divergence)}")


def conformance_machine(
    role: Role | Sequence[Role],
    adapter: Callable[[], Adapter],
    *,
    strategies: Strategies = DEFAULT_STRATEGIES,
) -> type[ConformanceMachine]:
    """A Hypothesis state machine for objects of a role, or of several at once.

    role: several (server, accepted and client; or datagram twice) are run side by side, each object among its own peers.
    adapter: makes the implementation's adapter, once for a run. strategies: arguments that are drawn, by call, where it is
    made in the plain way. Its TestCase is a test; run_machine() runs it without one.
    """
    roles = (role,) if isinstance(role, Role) else tuple(role)
    opening = Opening(adapter)
    try:
        models = tuple(model_for(opening.adapter, each) for each in roles)
    finally:
        opening.close()
    namespace: dict[str, Any] = {"models": models, "coverage": Coverage(models), "opening": opening, "steering": Steering()}
    as_rule: Any = rule  # whose overloads know no keywords that are made up here
    for number, model in enumerate(models):
        subject = f"{model.role.name}{number + 1 if roles.count(model.role) > 1 else ''}"
        for name, step, drawn in _rules(number, model, strategies):
            step.__name__ = step.__qualname__ = f"{subject}_{name}"  # by which Hypothesis tells rules apart, and prints them
            namespace[step.__name__] = as_rule(**drawn)(step)
    name = "".join(each.role.name.title().replace("_", "") for each in models) + "Machine"
    machine: type[ConformanceMachine] = type(name, (ConformanceMachine,), namespace)
    setattr(machine.TestCase, "tearDown", lambda self: opening.close())  # noqa: B010 - each machine has a TestCase of its own
    return machine


def run_machine(machine: type[ConformanceMachine], chosen: settings | None = None) -> Coverage:
    """Run the machine, with its own settings or those that are chosen; what its objects have reached.

    Raises NonConformance, shrunk, where the implementation goes another way.
    """
    try:
        run_state_machine_as_test(machine, settings=chosen)
    finally:
        machine.opening.close()
    return machine.coverage


def replace_arguments(edge: Edge, step: Provocation, arguments: tuple[Any, ...]) -> Edge:
    """The edge with other arguments, which have the same outcome."""
    return Edge(replace(step, arguments=arguments), edge.outcome, edge.gives, edge.role, edge.source, edge.target)


Rule = tuple[str, Callable[..., None], dict[str, st.SearchStrategy[Any]]]
"""a name, what the rule does, and what is drawn for it"""


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
            self.make_call(subject, call, self.goal(subject, call, goals))

        return step, {}

    def step_with_arguments(self: ConformanceMachine, arguments: tuple[Any, ...]) -> None:
        self.make_call(subject, call, self.goal(subject, call, goals), arguments)

    return step_with_arguments, {"arguments": arguments}


def _peer_rule(number: int, action: PeerAction) -> Callable[[ConformanceMachine], None]:
    def step(self: ConformanceMachine) -> None:
        self.act(number, action.name)

    return step


_near_nodes: dict[Node, dict[Cell, tuple[Edge, ...]]] = {}


def _near(node: Node) -> dict[Cell, tuple[Edge, ...]]:
    """The cells that can be reached from `node` in one step or two, and how."""
    found = _near_nodes.get(node)
    if found is None:
        found = _near_nodes[node] = {}
        quick = [edge for edge in node.edges if not edge.is_slow]
        for edge in quick:
            if edge.is_call:
                found.setdefault(edge.cell, (edge,))
        for edge in quick:
            if edge.target is not node:
                for after in edge.target.edges:
                    if after.is_call and not after.is_slow:
                        found.setdefault(after.cell, (edge, after))
    return found


def _calls_here(node: Node, call: str) -> tuple[Edge, ...]:
    for edge in node.edges:
        if isinstance(edge.step, Provocation) and edge.step.call == call and not edge.step.is_slow:
            return (edge,)
    return ()
