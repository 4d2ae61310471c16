"""The checked test run: which test made which finding, also under pytest-xdist."""

from __future__ import annotations

import gc
from collections.abc import Generator
from typing import Any

import pytest

from lifecycle.checking import registry, session
from lifecycle.checking.checkers import Checker
from lifecycle.checking.findings import grouped
from lifecycle.checking.settings import Mode

_ATTRIBUTE = "lifecycle_findings"


class CheckedSession:
    """Checks one test run, in a process that runs tests as in the one that collects their reports."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        self.config = config
        self.checker = Checker(Mode(mode))
        self.findings: list[dict[str, Any]] = []
        session.start(self.checker)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Findings belong to the test that runs."""
        self.checker.owner = item.nodeid
        try:
            return (yield)
        finally:
            self.checker.owner = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A report carries the findings since the last one, also from a worker of pytest-xdist."""
        report = yield
        registry.judge_the_dead()
        setattr(report, _ATTRIBUTE, self._new())
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the findings of a report."""
        self.findings.extend(getattr(report, _ATTRIBUTE, ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Look for leaks, and stop checking."""
        gc.collect()
        session.judge_what_is_left()
        session.stop(self.checker)
        output = getattr(self.config, "workeroutput", None)
        if output is None:
            self.findings.extend(self._new())
        else:  # a worker of pytest-xdist
            output[_ATTRIBUTE] = self._new()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect what a worker of pytest-xdist has found at its end."""
        self.findings.extend(getattr(node, "workeroutput", {}).get(_ATTRIBUTE, ()))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the findings, each with its test."""
        if not self.findings:
            terminalreporter.write_line("lifecycle: no findings")
            return
        terminalreporter.section(f"lifecycle: {len(self.findings)} findings")
        for group in grouped(self.findings):
            for test in dict.fromkeys(finding["test"] or "outside of tests" for finding in group):
                terminalreporter.write_line(test, bold=True)
            terminalreporter.write_line(f"  {group[0]['text']}".replace("\n", "\n  "))

    def _new(self) -> list[dict[str, Any]]:
        found = [finding.as_data() for finding in self.checker.findings]
        self.checker.findings.clear()
        return found
