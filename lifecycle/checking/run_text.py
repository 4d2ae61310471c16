"""The findings of a run for a terminal: one block for each cause, what to fix first, in its width and colours."""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lifecycle.checking.findings import grouped
from lifecycle.checking.formats.problems import Problem
from lifecycle.checking.formats.writers import as_text
from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.run_problems import headline, problem_of

MOST_BLOCKS = 10
"""With more causes there is a table first, and one block for each code"""

_ORDER = list(FindingKind)
_RED, _BLUE, _CYAN, _DIM, _BOLD = "31;1", "34", "36", "2", "1"
_STYLES = (
    (re.compile(r"^lifecycle: .*findings? at .*$"), _BOLD),
    (re.compile(r"(?<=: )LC\d+ [^:]+(?=:)|^ +\d+ +\d+  LC\d+"), _RED),
    (re.compile(r"(?<=\| ) *\^+$"), _RED),
    (re.compile(r"^ +\d* \|"), _BLUE),
    (re.compile(r"^      Call .*? first\."), _CYAN),
    (re.compile(r"^      (?:History of|  \S+:\d+  |This system|Winsock).*"), _DIM),
)
"""(pattern of a line, its style on a terminal); the first that matches"""


def summary(
    findings: Iterable[Mapping[str, Any]], left_out: int = 0, *, shows_all: bool = False, unseen: Sequence[str] = ()
) -> Iterator[str]:
    """The lines of the summary.

    left_out: how many findings were not kept. shows_all: a block for each cause, however many. unseen: what was lost sight of.
    """
    groups = grouped(findings)
    lost = f"; not seen: {', '.join(unseen)}" if unseen else ""
    yield f"{headline(groups, left_out)}{lost}"
    causes = list(_folded(groups))
    shown = causes
    if len(causes) > MOST_BLOCKS and not shows_all:
        yield ""
        yield from _table(causes)
        firsts = {problem.code: problem for problem, _ in reversed(causes)}
        shown = [(problem, group) for problem, group in causes if firsts[problem.code] is problem]
    for problem, _ in shown:
        yield ""
        yield from as_text((problem,)).splitlines()
    if len(causes) > len(shown):
        yield ""
        yield f"lifecycle: {len(causes) - len(shown)} more places are not shown here: --all shows them, a baseline accepts them"


def _folded(groups: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[tuple[Problem, Sequence[Mapping[str, Any]]]]:
    """The groups as problems. A leak of sockets that each had an error before is a line of that error: it follows from it."""
    mistaken: dict[tuple[int, str], int] = {}
    for number, group in enumerate(groups):
        if group[0]["kind"] not in (FindingKind.LEAK, FindingKind.NOTE):
            for each in group:
                mistaken.setdefault((each["process"], each["socket"]), number)
    notes: dict[int, list[str]] = defaultdict(list)
    for group in groups:
        causes = {mistaken.get((each["process"], each["socket"])) for each in group}
        if group[0]["kind"] == FindingKind.LEAK and None not in causes:
            leak = problem_of(group)
            for cause in causes:
                notes[cause or 0].append(f"Its socket was never closed, either ({leak.code}): {leak.path}:{leak.line}.")
    folded = {line.rpartition(": ")[2] for lines in notes.values() for line in lines}
    for number, group in enumerate(groups):
        problem = problem_of(group)
        if problem.kind == FindingKind.LEAK and f"{problem.path}:{problem.line}." in folded:
            continue
        place = next((place for place, line in enumerate(problem.advice) if line.startswith("History of")), len(problem.advice))
        advice = (*problem.advice[:place], *dict.fromkeys(notes[number]), *problem.advice[place:])
        yield replace(problem, advice=advice), group


def _table(causes: Sequence[tuple[Problem, Sequence[Mapping[str, Any]]]]) -> Iterator[str]:
    """One line for each code: the numbers of findings and places, and the first place; certain mistakes come first."""
    by_code: dict[str, list[tuple[Problem, int]]] = defaultdict(list)
    for problem, group in causes:
        by_code[problem.code].append((problem, len(group)))
    yield "findings  places  fix first"
    found = by_code.items()
    for code, each in sorted(
        found, key=lambda item: (_ORDER.index(FindingKind(item[1][0][0].kind)), -sum(n for _, n in item[1]))
    ):
        first = each[0][0]
        count = sum(number for _, number in each)
        yield f"{count:>8}  {len(each):>6}  {code} {first.meaning.title}: {first.path}:{first.line}"


def for_terminal(text: str, stream: int) -> str:
    """The text in the terminal's width and colours if `stream` is a terminal; otherwise unchanged. NO_COLOR is respected."""
    try:
        if not os.isatty(stream):
            return text
        width = max(shutil.get_terminal_size().columns, 40)
    except (OSError, ValueError):
        return text
    lines = [part for line in text.splitlines() for part in _wrapped(line, width)]
    if os.environ.get("NO_COLOR"):
        return "".join(f"{line}\n" for line in lines)
    return "".join(f"{_styled(line)}\n" for line in lines)


def _wrapped(line: str, width: int) -> list[str]:
    if len(line) <= width or re.match(r" +\d* \|", line):  # a line of the program is not broken
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True) or [line]


def _styled(line: str) -> str:
    for pattern, style in _STYLES:
        if pattern.search(line):
            return pattern.sub(lambda found: f"\x1b[{style}m{found[0]}\x1b[0m", line, count=1)  # noqa: B023 - used at once
    return line
