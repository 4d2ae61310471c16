"""`pytest --lifecycle`: checks the socket calls of a test run, and tells which test made which finding.

Loaded at every start of pytest, so it loads nothing itself before it is asked for.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lifecycle.checking.checker import Checker

MODES = ("observe", "warn", "enforce")
_ATTRIBUTE = "lifecycle_findings"


class _ModeOrPath(argparse.Action):
    """Takes a mode, and leaves to pytest what is none: `pytest --lifecycle tests` names a folder."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        mode = values if values in MODES else self.const
        setattr(namespace, self.dest, mode)
        if values is not None and values not in MODES:
            vars(namespace).setdefault("_unrecognized_args", []).append(values)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("lifecycle", "legal order of socket calls").addoption(
        "--lifecycle",
        action=_ModeOrPath,
        nargs="?",
        const="observe",
        default=None,
        metavar="observe|warn|enforce",
        help="check the order of socket calls: only tell (observe, the default), warn, or raise IllegalCall (enforce)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to check, where that was asked for: before any test module is imported."""
    mode = config.getoption("--lifecycle")
    if mode is not None:
        config.pluginmanager.register(CheckedRun(config, mode), "lifecycle-run")


class CheckedRun:
    """The checking of one test run, in the process that runs tests as in the one that gathers their reports."""

    def __init__(self, config: pytest.Config, mode: str) -> None:
        from lifecycle.checking import session
        from lifecycle.checking.checker import Checker, Mode

        self.config = config
        self.checker: Checker = Checker(Mode(mode))
        self.findings: list[dict[str, Any]] = []
        session.start(self.checker)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """What is found while a test runs is the test's."""
        self.checker.owner = item.nodeid
        try:
            return (yield)
        finally:
            self.checker.owner = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A report carries what was found since the last one, also from one process to another."""
        report = yield
        self._judge_the_dead()
        setattr(report, _ATTRIBUTE, self._new())
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather what the reports carry."""
        self.findings.extend(getattr(report, _ATTRIBUTE, ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Look for what is still open, and stop checking."""
        import gc

        from lifecycle.checking import registry, session
        from lifecycle.checking.overtaking import judge_those_on_their_way

        gc.collect()
        registry.judge_the_dead()
        judge_those_on_their_way()
        registry.judge_the_living(0)
        session.stop(self.checker)
        output = getattr(self.config, "workeroutput", None)
        if output is None:
            self.findings.extend(self._new())
        else:  # a worker of pytest-xdist
            output[_ATTRIBUTE] = self._new()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Gather what a worker of pytest-xdist has found at its end."""
        self.findings.extend(getattr(node, "workeroutput", {}).get(_ATTRIBUTE, ()))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the findings, each with its test."""
        from lifecycle.checking.findings import grouped

        if not self.findings:
            terminalreporter.write_line("lifecycle: no findings")
            return
        terminalreporter.section(f"lifecycle: {len(self.findings)} findings")
        for group in grouped(self.findings):
            for test in dict.fromkeys(finding["test"] or "outside of tests" for finding in group):
                terminalreporter.write_line(test, bold=True)
            terminalreporter.write_line(f"  {group[0]['text']}".replace("\n", "\n  "))

    def _judge_the_dead(self) -> None:
        from lifecycle.checking import registry

        registry.judge_the_dead()

    def _new(self) -> list[dict[str, Any]]:
        found = [finding.as_data() for finding in self.checker.findings]
        self.checker.findings.clear()
        return found
