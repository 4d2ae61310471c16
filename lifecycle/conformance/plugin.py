"""The pytest plugin: the option that sets the suite's depth, and the coverage of suites and machines in the summary.

pytest loads it at every start, so it imports no other module of this package.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

REACHED = "lifecycle_conformance_reached"
"""the property in which a test records the cell that it reached"""

MACHINE = "lifecycle_conformance_machine"
"""the property in which the test of a machine records its table of cells"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option --conformance-depth."""
    parser.getgroup("lifecycle").addoption(
        "--conformance-depth",
        dest="conformance_depth",
        type=int,
        choices=(1, 2, 3),
        default=None,
        help="how much a conformance suite runs: every cell, every call in every situation, or every cell before every call",
    )


def pytest_runtest_makereport(item: Any, call: Any) -> None:
    """Record what the test of a machine reached; user properties travel from the workers of pytest-xdist."""
    coverage = getattr(getattr(item, "cls", None), "coverage", None)
    if call.when == "call" and coverage is not None and hasattr(coverage, "table"):
        item.user_properties.append((MACHINE, coverage.table()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cells of each role the tests reached, in all processes."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            table = dict(getattr(report, "user_properties", ())).get(MACHINE)
            if table is not None and report.when == "call":
                terminalreporter.write_line(f"{report.nodeid} reached\n{table}")
    counts: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            record = dict(getattr(report, "user_properties", ())).get(REACHED)
            if record is not None and report.when == "call":
                role, _, how = str(record).partition(" ")
                counts[f"{role} {how}"] += 1
                totals[role] += 1
    for role, total in totals.items():
        explained = counts[f"{role} explained"]
        terminalreporter.write_line(
            f"conformance of {role}: {counts[f'{role} reached']} cells reached, {explained} differ as explained, of {total}"
        )
