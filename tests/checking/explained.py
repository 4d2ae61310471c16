"""Findings in CPython's own suites that were reviewed, with the reason why each is right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

EXPLAINED: tuple[Any, ...] = ()


def unexplained(suite: str, findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings that no row explains."""
    return list(findings)
