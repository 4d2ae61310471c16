"""A role as its objects run it: one StateNode per state, shared by all objects of a class, linked to the nodes it leads to.

An object holds its present node and nothing else of its state. There are two engines, and a node belongs to one of them: the
compiled nodes answer from the table that was read back from the role's transitions.Machine; the reference nodes ask that
machine itself at every step. Both are kept, so that the one can be checked against the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from threading import RLock
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from lifecycle.engine.journal import OBSERVERS
from lifecycle.engine.reference import compiled_table, fire, machine_of
from lifecycle.engine.role import Role

if TYPE_CHECKING:
    from transitions import Machine


class StateNode:
    """One state of a role.

    A subclass made for the role adds two slots per call, for the generated methods: `<call>` is the node that the outcome
    `ok` leads to (or this one, where the call has no `ok`), or None where the call takes the slow path (illegal, observed,
    overridden, or reference); and `_keeps_<call>` is 0 where `ok` keeps this node, else None. For a call with choices there is
    a third: `_chosen_<call>` is a mapping of those that the state takes to the nodes that they lead to.
    """

    __slots__ = ("_calls", "_cells", "_facts", "_final", "_holds_nothing", "_listed", "_quick", "_state")

    _engine: ClassVar[str] = "compiled"
    _overridden: ClassVar[frozenset[str]]
    _choices: ClassVar[Mapping[str, tuple[str, ...]]]
    _holds_nothing: bool  # so that an object may be forgotten
    _state: str
    _facts: Any
    _final: bool
    _calls: tuple[str, ...]
    _cells: Mapping[str, Mapping[str, StateNode]]
    _listed: tuple[str, ...]
    _quick: tuple[tuple[str, Any, Any], ...]
    """(slot, what it holds for the quick path, what it holds for the slow one), of the calls that have a quick path"""

    def _have(self, cells: Mapping[str, Mapping[str, StateNode]]) -> None:
        self._cells = cells
        self._listed = tuple(call for call in self._calls if call in cells)
        for call in _slot_calls(type(self)):
            for slot, _, slow in self._slots(call, {}):
                setattr(self, slot, slow)
        quick = (call for call in cells if call not in self._overridden)
        self._quick = tuple(slot for call in quick for slot in self._slots(call, cells[call]))

    def _slots(self, call: str, outcomes: Mapping[str, StateNode]) -> Iterator[tuple[str, Any, Any]]:
        """The slots of a call that the generated methods read."""
        yield call, outcomes.get("ok", self), None
        yield f"_keeps_{call}", 0 if outcomes.get("ok") is self else None, None
        if call in self._choices:
            yield f"_chosen_{call}", {choice: outcomes[choice] for choice in self._choices[call] if choice in outcomes}, {}

    @property
    def _legal(self) -> tuple[str, ...]:
        return self._listed

    def _allows(self, call: str) -> bool:
        return call in self._cells

    def _after(self, call: str, outcome: str) -> StateNode | None:
        """The node that this ending of `call` leads to; None when the table does not list it."""
        return self._cells[call].get(outcome) if call in self._cells else None

    def _arm(self, observed: bool) -> None:
        """Let the generated methods take the quick path, or the slow one where calls are observed."""
        for slot, quick, slow in self._quick:
            setattr(self, slot, slow if observed else quick)


STACK = 40
"""More frames than transitions needs to settle a call: if they are not left, RecursionError is raised before the call begins"""


def _reserve(frames: int) -> None:
    if frames:
        _reserve(frames - 1)


class ReferenceNode(StateNode):
    """A state whose every answer comes from transitions."""

    __slots__ = ("_machine", "_nodes")

    _engine = "reference"
    _machine: Machine
    _nodes: Mapping[str, StateNode]

    @property
    def _legal(self) -> tuple[str, ...]:
        return tuple(call for call in self._calls if self._allows(call))

    def _allows(self, call: str) -> bool:
        _reserve(STACK)
        return call in [trigger.rsplit(".", 1)[0] for trigger in self._machine.get_triggers(self._state)]

    def _after(self, call: str, outcome: str) -> StateNode | None:
        if f"{call}.{outcome}" not in self._machine.get_triggers(self._state):
            return None
        return self._nodes[fire(self._machine, self._state, call, outcome)]

    def _arm(self, observed: bool) -> None:
        super()._arm(observed=True)


ENGINES: Mapping[str, type[StateNode]] = {nodes._engine: nodes for nodes in (StateNode, ReferenceNode)}

_Overridden = frozenset[str]
_nodes: dict[str, WeakKeyDictionary[Role, dict[_Overridden, dict[str, StateNode]]]] = {
    engine: WeakKeyDictionary() for engine in ENGINES
}

_building = RLock()

default = os.environ.get("LIFECYCLE_ENGINE", "compiled")


def default_engine() -> str:
    """The engine of objects that were not given one: $LIFECYCLE_ENGINE, or "compiled"."""
    return default


def set_default_engine(engine: str) -> None:
    """Choose the engine of objects made from now on; ValueError for an unknown name."""
    global default
    default = _known(engine)


def initial_node(role: Role, engine: str | None, overridden: frozenset[str] = frozenset()) -> StateNode:
    """The node in which a new object of `role` begins, under `engine` or the default one; ValueError for an unknown engine.

    overridden: the calls that the object's class overrides, which take the slow path.
    """
    name = _known(default if engine is None else engine)
    with _building:
        of_role = _nodes[name].setdefault(role, {})
        nodes = of_role.get(overridden)
        if nodes is None:
            nodes = of_role[overridden] = _build(role, ENGINES[name], overridden)
            for node in nodes.values():  # once more: an observer may have been added before they were registered
                node._arm(observed=bool(OBSERVERS.present))
    return nodes[role.initial]


def replace_row(role: Role, engine: str, state: str, call: str, outcomes: Mapping[str, str] | None) -> None:
    """Let objects of `role` run another row under `engine`; None makes the call illegal there.

    For mutation tests, which break a table on purpose to see whether tests find it: the role itself stays as it is declared.
    """
    with _building:
        if _known(engine) == ReferenceNode._engine:
            machine = machine_of(role)
            for outcome in role.outcomes:
                event = machine.events.get(f"{call}.{outcome.name}")
                if event is not None:
                    event.transitions.pop(state, None)
            for outcome_name, after in (outcomes or {}).items():
                machine.add_transition(f"{call}.{outcome_name}", state, None if after == state else after)
            return
        for nodes in _nodes[engine].get(role, {}).values():
            cells = {name: endings for name, endings in nodes[state]._cells.items() if name != call}
            if outcomes is not None:
                cells[call] = {outcome_name: nodes[after] for outcome_name, after in outcomes.items()}
            nodes[state]._have(cells)
            nodes[state]._arm(observed=bool(OBSERVERS.present))


def _known(engine: str) -> str:
    if engine not in ENGINES:
        raise ValueError(f"no engine {engine!r}; known: {', '.join(ENGINES)}")
    return engine


def _build(role: Role, base: type[StateNode], overridden: frozenset[str]) -> dict[str, StateNode]:
    calls = [call.name for call in role.calls]
    choices = {call.name: call.choices for call in role.calls if call.choices}
    namespace = {
        "__slots__": [*calls, *(f"_keeps_{call}" for call in calls), *(f"_chosen_{call}" for call in choices)],
        "__doc__": base.__doc__,
        "_overridden": overridden,
        "_choices": choices,
    }
    node_class: Any = type(f"{role.name.title()}{base.__name__}", (base,), namespace)
    table = compiled_table(role)
    nodes: dict[str, StateNode] = {state: node_class() for state in table}
    for state in role.states:
        node = nodes[state.name]
        node._state = state.name
        node._facts = state.facts
        node._final = state.name in role.final
        node._holds_nothing = role.closes is None or node._final or state.name == role.initial
        node._calls = tuple(call.name for call in role.calls if call.fired_by is None)
        cells = table[state.name]
        node._have({call: {outcome: nodes[after] for outcome, after in row.items()} for call, row in cells.items()})
        if isinstance(node, ReferenceNode):
            node._machine = machine_of(role)
            node._nodes = nodes
    return nodes


def _slot_calls(node_class: type[StateNode]) -> list[str]:
    slots: list[str] = node_class.__dict__["__slots__"]
    return [slot for slot in slots if not slot.startswith("_")]


def _arm_all(observed: bool) -> None:
    for of_role in list(_nodes["compiled"].values()):
        for nodes in list(of_role.values()):
            for node in nodes.values():
                node._arm(observed)


OBSERVERS.on_switch(_arm_all)
