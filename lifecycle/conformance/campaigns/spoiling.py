"""Mutants of values: classes whose calls spoil the values that they send, receive or return, for data cells to find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lifecycle.conformance.adapters.governed import GovernedAdapter
from lifecycle.conformance.data_cells.registry import DATA_CELLS
from lifecycle.conformance.driving.data import run_data_cells
from lifecycle.conformance.driving.results import RoleResult
from lifecycle.conformance.driving.sequences import model_for
from lifecycle.engine import Role
from lifecycle.roles.words import GET_PEER_NAME, GET_SOCK_NAME, RECEIVE, RECEIVE_FROM, SEND, SEND_TO

Spoils = Callable[[Callable[..., Any], tuple[Any, ...]], Any]
"""Makes the call with its arguments, and returns the mutant's result"""


def _gives_less(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    got = call(*arguments)
    return (got[0][:-1], *got[1:]) if isinstance(got, tuple) else got[:-1]


def _sends_less(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    data, *where = arguments
    call(data[:-1], *where)
    return len(data)


def _sends_twice(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    call(*arguments)
    return call(*arguments)


def _garbles(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    data, *where = arguments
    return call(bytes(each & 127 for each in data), *where)


def _tells_another(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    host, port, *more = call(*arguments)
    return (host, port + 1, *more)


SPOILERS: Mapping[str, tuple[Spoils, tuple[str, ...]]] = {
    "gives a byte less": (_gives_less, (RECEIVE.name, RECEIVE_FROM.name)),
    "sends a byte less": (_sends_less, (SEND.name, SEND_TO.name)),
    "sends twice": (_sends_twice, (SEND.name,)),
    "garbles what it sends": (_garbles, (SEND.name,)),
    "tells another port": (_tells_another, (GET_SOCK_NAME.name, GET_PEER_NAME.name)),
}
"""name -> (how it spoils, the calls that it applies to)"""


def spoiled_calls(role: Role) -> Iterator[tuple[str, str]]:
    """Every (call, name of a spoiler) for which a data cell of the role is about that call."""
    looked_at = {cell.call for cell in DATA_CELLS if role.name in cell.roles and not cell.methods}
    for name, (_, calls) in SPOILERS.items():
        yield from ((call, name) for call in calls if call in looked_at)


def is_spoiling_found(role: Role, kind: type[Any], call: str, name: str, engine: str | None) -> bool:
    """Whether a data cell finds the spoiling in a class of that kind."""
    spoils, _ = SPOILERS[name]

    def spoiled(self: Any, *arguments: Any) -> Any:
        return spoils(getattr(super(broken, self), call), arguments)

    broken = type(kind.__name__, (kind,), {call: spoiled})
    adapter = GovernedAdapter({role.name: broken}, engine=engine)
    try:
        model = model_for(adapter, role)
        result = RoleResult(role.name, model.cells, frozenset())
        run_data_cells(adapter, model, result)
    finally:
        adapter.close()
    return bool(result.divergences)
