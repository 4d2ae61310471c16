"""`pytest --lifecycle` checks the socket calls of a test run, and reports each finding with its test.

pytest loads this module at every start, so the checker is imported only when the option is given.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import pytest

MODES = ("observe", "warn", "enforce")


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
        help="check the order of socket calls: only report (observe, the default), warn, or raise IllegalCall (enforce)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to check, where that was asked for: before any test module is imported."""
    mode = config.getoption("--lifecycle")
    if mode is not None:
        from lifecycle.checking.pytest_session import CheckedSession

        config.pluginmanager.register(CheckedSession(config, mode), "lifecycle-run")
