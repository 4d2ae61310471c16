"""A baseline: a file of known and accepted causes, so that only new ones fail a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from lifecycle.conformance.campaigns.conform import Conformance
from lifecycle.conformance.driving.run import Divergence
from lifecycle.system.output import write_whole

VERSION = 1
NAME = "baseline"


class BadBaseline(ValueError):
    """A file is not a baseline; the text says why."""


def write_baseline(report: Conformance, file: Path) -> int:
    """Write the unexplained causes; return their number. Raises OSError where the file cannot be written."""
    found = {each.line: each for each in sorted(report.unexplained, key=lambda each: -len(each.steps))}
    known = [{"line": list(line), "first": str(found[line])} for line in sorted(found)]
    text = json.dumps({"version": VERSION, "target": report.target, "known": known}, indent=2)
    write_whole(file, text + "\n")
    return len(known)


def read_baseline(file: Path) -> frozenset[tuple[str, ...]]:
    """The causes in a file. Raises BadBaseline, or OSError where it cannot be read."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        version, lines = data["version"], frozenset(tuple(map(str, each["line"])) for each in data["known"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadBaseline(f"{file} is not a baseline: {type(error).__name__}: {error}") from error
    if version != VERSION:
        raise BadBaseline(f"{file} is a baseline of version {version}, and this reads version {VERSION}")
    return lines


def accept_known(report: Conformance, known: frozenset[tuple[str, ...]]) -> None:
    """Explain the differences whose cause is known."""

    def judged(each: Divergence) -> Divergence:
        is_known = not each.explanation and each.line in known
        return replace(each, explanation=f"{NAME}: {each.call}: {each.got}") if is_known else each

    for role in report.roles:
        role.divergences = [judged(each) for each in role.divergences]
    report.bare = [judged(each) for each in report.bare]
    report.peers = [judged(each) for each in report.peers]
