"""The suite as a pytest class: one test per cell, named as in `server[bound]-accept-illegal`.

    from lifecycle import SERVER
    from lifecycle.conformance import SocketAdapter, conformance_suite

    TestServer = conformance_suite(SERVER, lambda: SocketAdapter(MySocket, name="mine", peers=MySocket))

`--conformance-depth` chooses how much is run: at depth 2 and 3, each cell's test makes the longer sequences to it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lifecycle.conformance.adapters.protocol import Adapter, made_by
from lifecycle.conformance.campaigns.conform import closing_in_time
from lifecycle.conformance.driving.results import snippet
from lifecycle.conformance.driving.run import NonConformance, Run
from lifecycle.conformance.driving.sequences import DEPTHS, Sequence, model_for, sequences
from lifecycle.conformance.driving.watchdog import WATCHDOG
from lifecycle.conformance.model.graph import Cell, Model, case_id, cells_of
from lifecycle.conformance.plugin import REACHED
from lifecycle.engine import Role
from lifecycle.engine.role import checked_role

if TYPE_CHECKING:
    import pytest


class Suite:
    """The graph that the tests of one role and one implementation share. Each test has its own adapter."""

    def __init__(self, role: Role, make: Callable[[], Adapter]) -> None:
        self.role = role
        self.make = make
        self._by_cell: dict[int, dict[Cell, list[Sequence]]] = {}

    @cached_property
    def model(self) -> Model:
        """The role's graph, with the calls and actions that the implementation offers."""
        with closing(made_by(self.make)) as adapter:
            return model_for(adapter, self.role)

    def sequences_to(self, cell: Cell, depth: int, *, governed: bool) -> list[Sequence]:
        """The sequences of that depth that end at `cell`."""
        if depth not in self._by_cell:
            found: dict[Cell, list[Sequence]] = {}
            for sequence in sequences(self.model, depth, governed=governed):
                for edge in reversed(sequence):
                    if edge.is_call:
                        found.setdefault(edge.cell, []).append(sequence)
                        break
            self._by_cell[depth] = found
        return self._by_cell[depth].get(cell, [])

    def check(self, adapter: Adapter, cell: Cell, depth: int) -> str:
        """Run the sequences that end at `cell`; return "" if none differs, or the explanation of the difference.

        Raises NonConformance, with a program that shows it, if the difference is not explained.
        """
        explanation = ""
        for sequence in self.sequences_to(cell, depth, governed=adapter.governed):
            with Run(adapter, self.model) as run:
                divergence = run.follow(sequence)
            if divergence is None:
                continue
            if not divergence.explanation:
                raise NonConformance(divergence, f"{divergence}\n\n{snippet(self.make, divergence)}")
            explanation = explanation or f"{divergence}; {divergence.explanation}"
        return explanation


def conformance_suite(role: Role, adapter: Callable[[], Adapter], *, depth: int | None = None) -> type[Any]:
    """A class of pytest tests, one per cell of `role`; assign it to a name that begins with Test.

    adapter: makes the implementation's adapter, a new one for each test. depth: 1 to 3, as for `lifecycle conform`; by default
    that of --conformance-depth, or 1. A cell that the implementation does not have is skipped; one whose difference is
    explained, for example by a platform's table, passes.
    """
    suite = Suite(checked_role(role), adapter)

    class TestConformance:
        """Every cell of a role, reached by its shortest sequence."""

        conformance = suite

        def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
            """One test per cell."""
            if "cell" in metafunc.fixturenames:
                chosen = depth or metafunc.config.getoption("conformance_depth", None) or DEPTHS[0]
                cells = cells_of(suite.role)
                names = [case_id(suite.role.name, cell) for cell in cells]
                metafunc.parametrize(("cell", "depth"), [(cell, chosen) for cell in cells], ids=names)

        def test_cell(self, cell: Cell, depth: int, request: pytest.FixtureRequest) -> None:
            """The call ends in this outcome, or is refused, and the object is then in the state that the table says."""
            import pytest

            if cell in suite.model.unprovoked:
                pytest.skip("the implementation cannot do this")
            with WATCHDOG.watching(), closing_in_time(suite.role.name, suite.make) as adapter:
                explanation = suite.check(adapter, cell, depth)
            found = f"{suite.role.name} {'explained' if explanation else 'reached'}"
            request.node.user_properties.append((REACHED, found))  # record_property warns under the usual kind of JUnit report

    TestConformance.__doc__ = f"Every cell of {role.name!r}, reached by its shortest sequence."
    return TestConformance
