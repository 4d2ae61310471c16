"""The matrix of the machine that the tests run on, beside the shipped table and the contract."""

from __future__ import annotations

import sys

import pytest

from lifecycle import ROLES
from lifecycle.conformance.campaigns.compare_platforms import PATHS, Comparison, compared_with
from lifecycle.conformance.campaigns.measure import Measured, measure
from lifecycle.system.matrices import shipped_results

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the shipped table in full is that of Linux")


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Every call in every state, on this machine."""
    return measure()


@pytest.fixture(scope="module")
def beside_linux(measured: Measured) -> Comparison:
    """The same beside the shipped table of Linux."""
    return compared_with(measured, "linux")


def test_every_cell_of_the_shipped_table_is_measured(measured: Measured) -> None:
    """All 4,250 cells, with the same families, kinds, states and calls."""
    assert set(measured) == set(shipped_results("linux"))
    assert len(measured) == 4250


def test_no_cell_differs_without_an_explanation(beside_linux: Comparison) -> None:
    """What differs is the length of a local path, which each measurement chooses."""
    assert beside_linux.unexplained == []
    assert {each.explanation for each in beside_linux.differences} <= {PATHS}


def test_measuring_again_gives_the_same(measured: Measured) -> None:
    """A part of the matrix, measured twice, has the same answers."""
    again = measure((("inet", "stream"),))
    assert again == {cell: measured[cell] for cell in again}
    assert len(again) == 725


def test_a_changed_cell_is_found(measured: Measured) -> None:
    """A system that answered otherwise would be reported, with both answers."""
    cell = ("inet", "stream", "bound", "accept")
    (difference,) = compared_with({**measured, cell: "ok"}, "linux").unexplained
    assert (difference.cell, difference.shipped, difference.measured) == (cell, "EINVAL", "ok")


def test_what_the_contract_forbids_and_this_system_accepts_is_told(beside_linux: Comparison) -> None:
    """Each is a call that the role's table does not have in that state, with the table's reason."""
    accepted = {(each.role, each.state, each.call): each for each in beside_linux.accepted}
    assert ("server", "open", "listen") in accepted
    assert ("client", "receive_shut", "receive") in accepted
    for (role, state, call), each in accepted.items():
        assert call not in ROLES[role].table[state]
        assert each.reason == ROLES[role].reason(state, call)


def test_a_second_connect_tells_the_first_ones_result_until_it_was_collected(beside_linux: Comparison) -> None:
    """The table's "ok" of connecting a connection is the first connect()'s; once that was collected, it is EISCONN."""
    found = {each.cell: (each.first, each.once_collected) for each in beside_linux.collected}
    assert found["inet", "stream", "connected", "connect"] == ("ok", "EISCONN")


def test_winsock_parts_where_its_table_says(measured: Measured) -> None:
    """Beside Winsock's table every difference has that explanation, and there are some."""
    comparison = compared_with(measured, "winsock")
    assert comparison.differences
    assert comparison.unexplained == []
