"""The findings of a run as problems: one for each cause and place, in the formats and with the silencers that lint has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lifecycle.checking.findings import grouped, history_lines
from lifecycle.checking.formats import problems as formats
from lifecycle.checking.formats.problems import Problem, ProjectSettings
from lifecycle.checking.kinds import HEADLINES, FindingKind

Data = Mapping[str, Any]

_IN_TESTS = re.compile(r"(^|[/\\])(tests?[/\\]|test_[^/\\]*$|conftest\.py$)")


def problem_of(group: Sequence[Data]) -> Problem:
    """The findings of one cause at one place as one problem."""
    first = group[0]
    head, *advice = str(first["text"]).split("\n  ")
    between = f" (through {first['library']})" if first["library"] else ""
    times = f" [{len(group)} times]" if len(group) > 1 else ""
    tests = [test for test in dict.fromkeys(each["test"] for each in group) if test]
    named = [f"In {', '.join(tests[:_TESTS])}{f' and {len(tests) - _TESTS} more' if len(tests) > _TESTS else ''}."]
    return Problem(
        code=first["code"],
        kind=first["kind"],
        file=first["file"],
        line=first["line"],
        column=_column(first),
        message=f"{head.partition(', at ')[0]}, in {first['function']}{between}{times}",
        advice=(*advice, *(named if tests else ()), *history_lines(first, formats.shown_path)),
        must=first["kind"] != FindingKind.NOTE,
    )


_TESTS = 3  # names of tests that are shown with a problem


def _column(finding: Data) -> int:
    """Where the call stands in its line, or where the line begins."""
    source = formats.source_line(finding["file"], finding["line"])
    found = re.search(rf"\b{re.escape(finding['call'])}\s*\(", source)
    return found.start() if found else len(source) - len(source.lstrip())


def remaining(
    findings: Iterable[Data], settings: ProjectSettings, baseline: str | None = None, write_baseline: str | None = None
) -> list[Sequence[Data]]:
    """The groups of findings that neither a comment, nor the project's settings, nor the baseline silences.

    Certain mistakes come first, and problems in tests last. write_baseline: write the problems to that file, and return none.
    Raises OSError, and ValueError for a file that is not a baseline.
    """
    groups = [(problem_of(group), group) for group in grouped(findings)]
    groups = [(problem, group) for problem, group in groups if formats.not_ignored((problem,), settings)]
    if write_baseline is not None:
        formats.write_baseline(Path(write_baseline), [problem for problem, _ in groups])
        return []
    if baseline is not None:
        new = {id(problem) for problem in formats.new_problems(Path(baseline), [problem for problem, _ in groups])}
        groups = [(problem, group) for problem, group in groups if id(problem) in new]
    return [group for _, group in sorted(groups, key=_urgency)]


def _urgency(item: tuple[Problem, Sequence[Data]]) -> tuple[bool, int]:
    return bool(_IN_TESTS.search(item[0].path)), list(FindingKind).index(FindingKind(item[0].kind))


def headline(groups: Sequence[Sequence[Data]], left_out: int = 0) -> str:
    """The numbers of findings and places, by kind."""
    if not groups:
        return "lifecycle: no findings"
    findings = [finding for group in groups for finding in group]
    counts = {kind: sum(finding["kind"] == kind for finding in findings) for kind in FindingKind}
    kinds = ", ".join(f"{count} {HEADLINES[kind]}{_plural(kind, count)}" for kind, count in counts.items() if count)
    places = f"{len(groups)} place{'s' if len(groups) > 1 else ''}"
    more = f", and {left_out} more of the same" if left_out else ""
    return f"lifecycle: {len(findings)} finding{'s' if len(findings) > 1 else ''} at {places} ({kinds}){more}"


def _plural(kind: FindingKind, count: int) -> str:
    if count < 2 or kind is FindingKind.PORTABILITY:  # three are "3 not portable"
        return ""
    return "es" if HEADLINES[kind].endswith("s") else "s"


def failing(groups: Sequence[Sequence[Data]], kinds: Iterable[str]) -> bool:
    """Whether a finding is of a kind with which the run fails."""
    return any(group[0]["kind"] in kinds for group in groups)
