"""The report of a run: a summary on standard error, and the files that were asked for."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from lifecycle.checking.checkers import Checker
from lifecycle.checking.findings import grouped, history_lines
from lifecycle.checking.kinds import HEADLINES, FindingKind
from lifecycle.checking.settings import Settings
from lifecycle.system.output import printable_lines, write_whole


def report_run(settings: Settings, checker: Checker, children: Sequence[tuple[str, Any]]) -> None:
    """Write the summary and the files. children: ("finding" or "recorded", data) of the processes that the program started."""
    findings = [finding.as_data() for finding in checker.findings]
    findings += [data for kind, data in children if kind == "finding"]
    if settings.report is not None:
        with _reporting_failure(settings.report):
            write_report(settings.report, checker, findings)
    if settings.keeps_all:
        from lifecycle.checking.charts import read_recorded, recorded, write_charts

        sockets = recorded(checker.tracks)
        sockets += [read_recorded(data) for kind, theirs in children if kind == "recorded" for data in theirs]
        with _reporting_failure(settings.chart or settings.html):
            for note in write_charts(settings, sockets, findings):
                _write(f"lifecycle: {note}\n")
    if not settings.quiet:
        _write("".join(f"{line}\n" for line in summary(findings, checker.left_out)))


def write_report(file: str, checker: Checker, findings: Sequence[Mapping[str, Any]]) -> None:
    """Write the findings as JSON. Raises OSError where the file cannot be written."""
    data = {"findings": findings, "left_out": checker.left_out, "sockets": checker.sockets}
    write_whole(file, json.dumps(data, indent=2) + "\n")


def summary(findings: Sequence[Mapping[str, Any]], left_out: int = 0) -> Iterator[str]:
    """The lines of the summary, one group of findings after the other. left_out: how many findings were not kept."""
    if not findings:
        yield "lifecycle: no findings"
        return
    groups = grouped(findings)
    counts = {kind: sum(finding["kind"] == kind for finding in findings) for kind in FindingKind}
    kinds = ", ".join(f"{count} {HEADLINES[kind]}{_plural(kind, count)}" for kind, count in counts.items() if count)
    places = f"{len(groups)} place{'s' if len(groups) > 1 else ''}"
    more = f", and {left_out} more of the same" if left_out else ""
    yield f"lifecycle: {len(findings)} finding{'s' if len(findings) > 1 else ''} at {places} ({kinds}){more}"
    for group in groups:
        first = group[0]
        head, *advice = str(first["text"]).split("\n  ")
        times = f" [{len(group)} times]" if len(group) > 1 else ""
        yield ""
        yield f"{head}{times}"
        yield from (f"  {line}" for line in advice)
        yield from (f"  {line}" for line in history_lines(first))


def _plural(kind: FindingKind, count: int) -> str:
    return "s" if count > 1 and kind is not FindingKind.PORTABILITY else ""  # three are "3 not portable"


@contextmanager
def _reporting_failure(file: str | None) -> Iterator[None]:
    """A file that cannot be written is reported, and does not end the program with an error."""
    try:
        yield
    except OSError as error:
        _write(f"lifecycle: cannot write {file}: {error.strerror}\n")


def _write(text: str) -> None:
    """To standard error, even if the program has replaced sys.stderr, and also from a signal handler."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError, RuntimeError):  # gone, closed, or in use by the interrupted code
            stream.flush()
    with suppress(OSError):
        os.write(2, printable_lines(text).encode("utf-8", "replace"))
