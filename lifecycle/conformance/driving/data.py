"""Runs data cells, each on a new object that is brought to the cell's beginning by the fewest steps of the graph."""

from __future__ import annotations

from collections.abc import Iterator

from lifecycle.conformance.adapters.abilities import LeftOut, takes
from lifecycle.conformance.adapters.outcomes import ANY_ERROR, message_of
from lifecycle.conformance.adapters.protocol import Adapter, Mismatch
from lifecycle.conformance.adapters.session import LoopbackStage
from lifecycle.conformance.adapters.setup_states import descriptor_of
from lifecycle.conformance.data_cells.cell import DataCell, Scene
from lifecycle.conformance.data_cells.registry import DATA_CELLS
from lifecycle.conformance.driving.results import RoleResult
from lifecycle.conformance.driving.run import HANGS, Divergence, Run, differing
from lifecycle.conformance.driving.watchdog import WATCHDOG, Hangs
from lifecycle.conformance.model.environments import FLOOD, SILENCE
from lifecycle.conformance.model.graph import Edge, Model


def run_data_cells(adapter: Adapter, model: Model, result: RoleResult) -> None:
    """Run the cells of the model's role, and add what they find."""
    for cell in DATA_CELLS:
        is_meant = model.role.name in cell.roles and not (cell.methods and adapter.governed)
        if not is_meant or WATCHDOG.has_given_up:
            continue
        found = run_data_cell(adapter, model, cell)
        if isinstance(found, LeftOut):
            result.left_out.append(found)
            continue
        result.data[cell.label] = found is None
        if found is not None:
            result.divergences.append(found)


def run_data_cell(adapter: Adapter, model: Model, cell: DataCell) -> Divergence | LeftOut | None:
    """Run one cell; return the difference, the reason why it is left out, or None."""
    way = _way_to(model, cell)
    if isinstance(way, str):
        return LeftOut(cell.label, way, model.role.name)
    found: Divergence | LeftOut | None = None
    for _ in range(cell.tries):
        found = _tried(adapter, model, cell, way)
        if not isinstance(found, Divergence) or found.got == HANGS:
            break
    return found


def _way_to(model: Model, cell: DataCell) -> tuple[Edge, ...] | str:
    """The steps to its beginning, or the reason why there are none."""
    actions = {each.name for each in model.environment.peer_actions}
    missing = [each for each in cell.actions if each not in actions]
    if missing:
        return f"peers cannot do it: {', '.join(missing)}"
    offered = {each.call for each in model.offered}
    lacking = [each for each in (cell.call, *cell.also) if each not in offered]
    if lacking:
        return f"no {', '.join(lacking)}"
    for node in model.nodes:
        if cell.can_begin(node.facts) and not node.is_final and cell.call in node.legal:
            way = model.way_to(node)
            if not any(edge.is_slow for edge in way):
                return way
    return "its beginning cannot be reached"


def _tried(adapter: Adapter, model: Model, cell: DataCell, way: tuple[Edge, ...]) -> Divergence | LeftOut | None:
    with Run(adapter, model) as run:
        if run.follow(way, looks=False) is not None:
            return LeftOut(cell.label, "the steps to its beginning already differ", model.role.name)
        stage = run.stage
        if not isinstance(stage, LoopbackStage):
            return LeftOut(cell.label, "its objects have no peers on the loopback interface", model.role.name)
        for why in _lacking(model, stage, cell):
            return LeftOut(cell.label, why, model.role.name)
        scene = Scene(stage, real_time=descriptor_of(getattr(stage, "sock", None)) != -1)
        try:
            with WATCHDOG:
                cell.check(scene)
        except Hangs as error:
            return _differs(adapter, run, cell, "an answer", str(error) or HANGS)
        except Mismatch as mismatch:
            return _differs(adapter, run, cell, str(mismatch.expected), str(mismatch.got))
        except (*ANY_ERROR, KeyboardInterrupt) as error:  # any error of the implementation
            if WATCHDOG.is_of_the_user(error):
                raise
            what = error if isinstance(error, OSError) else f"raised {type(error).__name__} ({message_of(error)})"
            return _differs(adapter, run, cell, "no error", str(what))
    return None


def _lacking(model: Model, stage: LoopbackStage, cell: DataCell) -> Iterator[str]:
    sock = getattr(stage, "sock", None)
    if cell.methods and sock is None:
        yield "its object is not a socket with these methods"
        return
    for method in cell.methods:
        owner = type(sock) if method.startswith("__") else sock
        if sock is not None and not hasattr(owner, method):
            yield f"no {method}()"
    if cell.needs_descriptor and descriptor_of(sock) == -1:
        yield "no descriptor of the system"
    if cell.needs_flags and sock is not None and not takes(sock.recv, 1, 0):
        yield "recv() takes a size only"
    if cell.needs_silence and not any(SILENCE in each.arguments for each in model.offered):
        yield "no listener is silent here"
    if cell.needs_no_wait and sock is not None and not (hasattr(sock, "settimeout") or hasattr(sock, "setblocking")):
        yield "there are no calls without waiting"
    if cell.needs_full and not any(FLOOD in each.arguments for each in model.offered):
        yield "no connection is full here"


def _differs(adapter: Adapter, run: Run, cell: DataCell, expected: str, got: str) -> Divergence:
    return differing(adapter, run.role, run.node.state, cell.call, expected, got, (cell.label,))
