"""The checked test run: which test made which finding, also under pytest-xdist."""

from __future__ import annotations

import gc
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import pytest

from lifecycle.checking import registry, unseen
from lifecycle.checking import session as checks
from lifecycle.checking.checkers import Checker
from lifecycle.checking.formats.problems import project_settings
from lifecycle.checking.formats.writers import WRITERS
from lifecycle.checking.run_problems import failing, problem_of, remaining
from lifecycle.checking.run_text import summary
from lifecycle.checking.settings import Mode
from lifecycle.system.output import write_whole

_ATTRIBUTE = "lifecycle_findings"
_UNSEEN = "lifecycle_unseen"


class CheckedSession:
    """Checks one test run, in a process that runs tests as in the one that collects their reports."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        self.config = config
        self.checker = Checker(Mode(mode), strict=bool(config.getoption("--lifecycle-strict")))
        self.groups: list[Sequence[Mapping[str, Any]]] = []
        self.findings: list[dict[str, Any]] = []
        self.unseen: list[str] = []
        self._sockets_before = unseen.sockets_of_the_process()
        checks.start(self.checker)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Assign findings to the running test."""
        self.checker.owner = item.nodeid
        try:
            return (yield)
        finally:
            self.checker.owner = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the findings since the last report to this one, also in a worker of pytest-xdist."""
        report = yield
        registry.judge_the_dead()
        setattr(report, _ATTRIBUTE, self._new())
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the findings of a report."""
        self.findings.extend(getattr(report, _ATTRIBUTE, ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look for leaks, stop checking, and write the files; fail the run if that was requested."""
        gc.collect()
        checks.judge_what_is_left()
        self.unseen += unseen.unseen(self._sockets_before)
        checks.stop(self.checker)
        output = getattr(self.config, "workeroutput", None)
        if output is not None:  # a worker of pytest-xdist
            output[_ATTRIBUTE], output[_UNSEEN] = self._new(), self.unseen
            return
        self.findings.extend(self._new())
        options = self.config.option
        try:
            project = project_settings(self.config.rootpath)
            self.groups = remaining(self.findings, project, options.lifecycle_baseline, options.lifecycle_write_baseline)
            if options.lifecycle_output is not None:
                problems = [problem_of(group) for group in self.groups]
                text = WRITERS[options.lifecycle_output_format](problems, self.unseen)
                write_whole(options.lifecycle_output, text)
        except (OSError, ValueError) as error:
            raise pytest.UsageError(f"lifecycle: {error}") from None
        if failing(self.groups, options.lifecycle_fail_on) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect the findings of a worker of pytest-xdist at its end."""
        output = getattr(node, "workeroutput", {})
        self.findings.extend(output.get(_ATTRIBUTE, ()))
        self.unseen += [each for each in output.get(_UNSEEN, ()) if each not in self.unseen]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the problems, each with its tests."""
        findings = [each for group in self.groups for each in group]
        head, *lines = summary(findings, self.checker.left_out, unseen=self.unseen)
        if not lines:
            terminalreporter.write_line(head)
            return
        terminalreporter.section(head)
        for line in lines:
            terminalreporter.write_line(line)

    def _new(self) -> list[dict[str, Any]]:
        found = [finding.as_data() for finding in self.checker.findings]
        self.checker.findings.clear()
        return found
