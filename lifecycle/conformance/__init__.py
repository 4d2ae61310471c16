"""Conformance suites derived from the roles, for any implementation.

`lifecycle conform TARGET` runs them from the command line; `conformance_suite(role, adapter)` makes a pytest class of them, and
`conformance_machine(role, adapter)` a Hypothesis state machine. Its parts are loaded when they are first used: pytest imports
this package at every start for its plugin, and only what needs hypothesis or pytest loads them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.conformance.adapters.abilities import LeftOut as LeftOut
    from lifecycle.conformance.adapters.governed import GovernedAdapter as GovernedAdapter
    from lifecycle.conformance.adapters.known import Known as Known
    from lifecycle.conformance.adapters.loopback import Loopback as Loopback
    from lifecycle.conformance.adapters.objects import ObjectAdapter as ObjectAdapter
    from lifecycle.conformance.adapters.protocol import AGREES as AGREES
    from lifecycle.conformance.adapters.protocol import Adapter as Adapter
    from lifecycle.conformance.adapters.protocol import Answer as Answer
    from lifecycle.conformance.adapters.protocol import Mismatch as Mismatch
    from lifecycle.conformance.adapters.protocol import Stage as Stage
    from lifecycle.conformance.adapters.protocol import Verdict as Verdict
    from lifecycle.conformance.adapters.protocol import compared as compared
    from lifecycle.conformance.adapters.session import LoopbackStage as LoopbackStage
    from lifecycle.conformance.adapters.sockets import SocketAdapter as SocketAdapter
    from lifecycle.conformance.campaigns.confirming import Repeats as Repeats
    from lifecycle.conformance.campaigns.conform import Conformance as Conformance
    from lifecycle.conformance.campaigns.conform import conform as conform
    from lifecycle.conformance.campaigns.replay import replay as replay
    from lifecycle.conformance.data_cells.cell import DataCell as DataCell
    from lifecycle.conformance.data_cells.cell import Scene as Scene
    from lifecycle.conformance.data_cells.registry import DATA_CELLS as DATA_CELLS
    from lifecycle.conformance.driving.machine import conformance_machine as conformance_machine
    from lifecycle.conformance.driving.machine import run_machine as run_machine
    from lifecycle.conformance.driving.results import clusters as clusters
    from lifecycle.conformance.driving.run import Divergence as Divergence
    from lifecycle.conformance.driving.run import NonConformance as NonConformance
    from lifecycle.conformance.model.environment import Ending as Ending
    from lifecycle.conformance.model.environment import Environment as Environment
    from lifecycle.conformance.model.environment import Handle as Handle
    from lifecycle.conformance.model.environment import PeerAction as PeerAction
    from lifecycle.conformance.model.environment import Place as Place
    from lifecycle.conformance.model.environment import Provocation as Provocation
    from lifecycle.conformance.model.environment import Under as Under
    from lifecycle.conformance.model.environment import ends as ends
    from lifecycle.conformance.model.environment import failing as failing
    from lifecycle.conformance.model.environment import peer as peer
    from lifecycle.conformance.model.environment import plainly as plainly
    from lifecycle.conformance.model.environment import waits as waits
    from lifecycle.conformance.model.environments import ENVIRONMENTS as ENVIRONMENTS
    from lifecycle.conformance.suite import conformance_suite as conformance_suite
    from lifecycle.conformance.targets import target_named as target_named
    from lifecycle.conformance.targets import target_of as target_of

_NAMES = {
    "adapters.abilities": "LeftOut",
    "adapters.loopback": "Loopback",
    "adapters.session": "LoopbackStage",
    "data_cells.cell": "DataCell Scene",
    "data_cells.registry": "DATA_CELLS",
    "campaigns.confirming": "Repeats",
    "adapters.governed": "GovernedAdapter",
    "adapters.objects": "ObjectAdapter",
    "adapters.protocol": "AGREES Adapter Answer Mismatch Stage Verdict compared",
    "adapters.known": "Known",
    "adapters.sockets": "SocketAdapter",
    "campaigns.conform": "Conformance conform",
    "campaigns.replay": "replay",
    "driving.machine": "conformance_machine run_machine",
    "driving.results": "clusters",
    "driving.run": "Divergence NonConformance",
    "model.environment": "Ending Environment Handle PeerAction Place Provocation Under ends failing peer plainly waits",
    "model.environments": "ENVIRONMENTS",
    "suite": "conformance_suite",
    "targets": "target_named target_of",
}
"""module -> its public names"""

_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

NEEDED = frozenset({"hypothesis", "pytest"})
"""packages of the extra `conformance`"""

__all__ = [
    "Place",
    "Handle",
    "Known",
    "Conformance",
    "Repeats",
    "DATA_CELLS",
    "Scene",
    "DataCell",
    "LoopbackStage",
    "Loopback",
    "LeftOut",
    "AGREES",
    "ENVIRONMENTS",
    "Adapter",
    "Answer",
    "Divergence",
    "Ending",
    "Environment",
    "GovernedAdapter",
    "Mismatch",
    "NonConformance",
    "ObjectAdapter",
    "PeerAction",
    "Provocation",
    "SocketAdapter",
    "Stage",
    "Under",
    "Verdict",
    "clusters",
    "compared",
    "conform",
    "conformance_machine",
    "conformance_suite",
    "ends",
    "failing",
    "peer",
    "plainly",
    "replay",
    "run_machine",
    "target_named",
    "target_of",
    "waits",
]


def __getattr__(name: str) -> object:
    """Load what a public name needs when it is first used."""
    if name in _HOMES:
        try:
            value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name not in NEEDED:
                raise
            needs = f'{__name__}.{name} needs {error.name}: pip install "socket-lifecycle[conformance]"'
            raise ModuleNotFoundError(needs, name=error.name) from error
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
