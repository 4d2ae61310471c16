"""`pytest --lifecycle` checks the socket calls of a test run, and reports each finding with its test.

pytest loads this module at every start, so the checker is imported only when the option is given.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import pytest

MODES = ("observe", "warn", "enforce")
ERROR = "error"
KINDS = ("order", "portability", "leak", "race", "tls", "loss")
FORMATS = ("text", "json", "github", "sarif", "junit")


class _ModeOrPath(argparse.Action):
    """Takes a mode, and leaves any other word to pytest: `pytest --lifecycle tests` names a folder."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        mode = values if values in MODES else self.const
        setattr(namespace, self.dest, mode)
        if values == ERROR:
            namespace.lifecycle_fail_on = KINDS
        elif values is not None and values not in MODES:
            vars(namespace).setdefault("_unrecognized_args", []).append(values)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("lifecycle", "legal order of socket calls")
    group.addoption(
        "--lifecycle",
        action=_ModeOrPath,
        nargs="?",
        const="observe",
        default=None,
        metavar="observe|error|warn|enforce",
        help="check the order of socket calls: only report (observe, the default), fail the run where there is a finding "
        "(error), warn, or raise IllegalCall (enforce)",
    )
    group.addoption("--lifecycle-strict", action="store_true", help="give notes, too: illegal calls that the program guards")
    group.addoption(
        "--lifecycle-fail-on",
        type=lambda value: tuple(value.split(",")),
        default=(),
        metavar="KIND,...",
        help="fail the run where there is a finding of these kinds: order, portability, leak, race, tls, loss, note",
    )
    group.addoption("--lifecycle-output", metavar="FILE", help="write the problems there")
    group.addoption("--lifecycle-output-format", choices=FORMATS, default="json", help="how they are written")
    group.addoption("--lifecycle-baseline", metavar="FILE", help="report only problems that this file does not know")
    group.addoption("--lifecycle-write-baseline", metavar="FILE", help="write the problems that are found now, and pass")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to check, where that was asked for: before any test module is imported."""
    mode = config.getoption("--lifecycle")
    if mode is not None:
        from lifecycle.checking.pytest_session import CheckedSession

        config.pluginmanager.register(CheckedSession(config, mode), "lifecycle-run")
