"""The package's own sockets are put through the suite that it gives to others: every cell of every role."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from lifecycle import ROLES
from lifecycle.conformance import GovernedAdapter, conformance_suite
from lifecycle.conformance.adapters.awaited import AwaitedAdapter
from lifecycle.conformance.driving.sequences import exhaust, model_for, unprovoked_cells
from lifecycle.conformance.model.local_environments import LOCAL_ENVIRONMENTS
from lifecycle.system.local_sockets import LOCAL_FAMILY

TestServer = conformance_suite(ROLES["server"], GovernedAdapter)
"""As users run it, each cell a test; test_driver.py goes through all cells of all roles."""


@pytest.mark.skipif(LOCAL_FAMILY == -1, reason="this system has no Unix-domain sockets")
@pytest.mark.parametrize("make", [GovernedAdapter, AwaitedAdapter])
@pytest.mark.parametrize("role", LOCAL_ENVIRONMENTS)
def test_every_cell_over_a_path(role: str, make: Callable[..., GovernedAdapter]) -> None:
    """Over a path each cell that exists there is as the table says; no cell is without a provocation, there or over IP."""
    with closing(make(local=True)) as adapter:
        found = exhaust(adapter, model_for(adapter, ROLES[role]), depth=1)
        assert (found.divergences, found.missing) == ([], [])
        assert unprovoked_cells(adapter, ROLES[role]) == []
