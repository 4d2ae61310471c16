"""The pytest plugin: the option that chooses the suite's depth, and the coverage of suites and machines at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

REACHED = "lifecycle_conformance_reached"
"""the name of the property by which a test tells which cell it has reached"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Part of pytest: --conformance-depth."""
    parser.getgroup("lifecycle").addoption(
        "--conformance-depth",
        dest="conformance_depth",
        type=int,
        choices=(1, 2, 3),
        default=None,
        help="how much a conformance suite runs: every cell, every call in every situation, or every cell before every call",
    )


MACHINE = "lifecycle_conformance_machine"
"""the name of the property by which the test of a machine tells its table of cells"""


def pytest_runtest_makereport(item: Any, call: Any) -> None:
    """Part of pytest: the test of a machine tells what it has reached, so that it is told from another process, too."""
    coverage = getattr(getattr(item, "cls", None), "coverage", None)
    if call.when == "call" and coverage is not None and hasattr(coverage, "table"):
        item.user_properties.append((MACHINE, coverage.table()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Part of pytest: how many cells of each role the tests have reached, also those that ran in other processes."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            table = dict(getattr(report, "user_properties", ())).get(MACHINE)
            if table is not None and report.when == "call":
                terminalreporter.write_line(f"{report.nodeid} reached\n{table}")
    counts: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            told = dict(getattr(report, "user_properties", ())).get(REACHED)
            if told is not None and report.when == "call":
                role, _, how = str(told).partition(" ")
                counts[f"{role} {how}"] += 1
                totals[role] += 1
    for role, total in totals.items():
        reached, explained = counts[f"{role} reached"], counts[f"{role} explained"]
        terminalreporter.write_line(
            f"conformance of {role}: {reached} cells reached, {explained} differ as explained, of {total}"
        )
