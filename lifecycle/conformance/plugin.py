"""The pytest plugin: the option that chooses the suite's depth, and the coverage at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Part of pytest: how many cells of each role the tests have reached, also those that ran in other processes."""
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
