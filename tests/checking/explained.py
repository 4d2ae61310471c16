"""Findings in the suites of CPython and of packages that were reviewed: right, and wanted by the test, or harmless there.

The rows are in explained.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Explained:
    """Findings of one kind in suites: the states of the socket, the calls, the functions that make them, and why."""

    suites: list[str]
    kind: str
    states: list[str]
    calls: list[str]
    functions: list[str]
    reason: str

    def explains(self, suite: str, finding: Mapping[str, Any]) -> bool:
        """Whether this row is about that finding of that suite: `test_ssl`, or a path through `anyio` or `anyio-4.16.0`."""
        folders = Path(suite).parts
        return (
            any(folder == each or folder.startswith(f"{each}-") for each in self.suites for folder in folders)
            and finding["kind"] == self.kind
            and finding["state"] in self.states
            and finding["call"] in self.calls
            and finding["function"] in self.functions
        )


def _rows() -> tuple[Explained, ...]:
    path = Path(__file__).with_suffix(".toml")
    return tuple(Explained(**row) for row in tomllib.loads(path.read_text(encoding="utf-8"))["findings"])


EXPLAINED = _rows()


def unexplained(suite: str, findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings that no row explains."""
    return [finding for finding in findings if not any(row.explains(suite, finding) for row in EXPLAINED)]
