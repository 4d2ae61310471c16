"""What a run tells at its end: a summary on standard error, and the files that were asked for."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle.checking.checker import Checker
from lifecycle.checking.findings import HEADLINES, FindingKind, grouped

if TYPE_CHECKING:
    from lifecycle.checking.settings import Settings

_SHOWN = 8  # lines of a history


def tell(settings: Settings, checker: Checker, children: Sequence[tuple[str, Any]]) -> None:
    """Write the summary and the files."""
    findings = [finding.as_data() for finding in checker.findings]
    findings += [data for what, data in children if what == "finding"]
    if settings.report is not None:
        with _telling_why_not(settings.report):
            write_report(settings.report, checker, findings)
    if settings.keeps_all:
        from lifecycle.checking.charting import write_charts
        from lifecycle.checking.recording import read_recorded, recorded

        sockets = recorded(checker.tracks)
        sockets += [read_recorded(data) for what, theirs in children if what == "recorded" for data in theirs]
        with _telling_why_not(settings.chart or settings.html):
            write_charts(settings, sockets, findings)
    if not settings.quiet:
        _write("".join(f"{line}\n" for line in summary(findings, checker.left_out)))


def write_report(file: str, checker: Checker, findings: Sequence[Mapping[str, Any]]) -> None:
    """Write the findings as JSON; OSError where that cannot be done."""
    data = {"findings": findings, "left_out": checker.left_out, "sockets": checker.sockets}
    Path(file).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


@contextmanager
def _telling_why_not(file: str | None) -> Iterator[None]:
    """A file that cannot be written is told of, and is no error of the program's."""
    try:
        yield
    except OSError as error:
        _write(f"lifecycle: cannot write {file}: {error.strerror}\n")


def _plural(kind: FindingKind, count: int) -> str:
    return "s" if count > 1 and kind is not FindingKind.PORTABILITY else ""  # three are "3 not portable"


def summary(findings: Sequence[Mapping[str, Any]], left_out: int = 0) -> Iterator[str]:
    """The lines of the summary: one group of findings after the other, those of the same cause and place together."""
    if not findings:
        yield "lifecycle: no findings"
        return
    groups = grouped(findings)
    counts = {kind: sum(finding["kind"] == kind for finding in findings) for kind in FindingKind}
    told = ", ".join(f"{count} {HEADLINES[kind]}{_plural(kind, count)}" for kind, count in counts.items() if count)
    places = f"{len(groups)} place{'s' if len(groups) > 1 else ''}"
    more = f", and {left_out} more of the same" if left_out else ""
    yield f"lifecycle: {len(findings)} finding{'s' if len(findings) > 1 else ''} at {places} ({told}){more}"
    for group in groups:
        first = group[0]
        head, *advice = str(first["text"]).split("\n  ")
        times = f" [{len(group)} times]" if len(group) > 1 else ""
        yield ""
        yield f"{head}{times}"
        yield from (f"  {line}" for line in advice)
        yield from (f"  {line}" for line in history_lines(first))


def history_lines(finding: Mapping[str, Any]) -> Iterator[str]:
    """The history of a finding's socket, the last part of it where it is long."""
    history = finding["history"]
    yield f"History of {finding['socket']}:" + (" ..." if len(history) > _SHOWN else "")
    for event in history[-_SHOWN:]:
        outcome = event["error"] or ("" if event["outcome"] in ("ok", None) else event["outcome"])
        arrow = f" -> {event['next_state']}" if event["next_state"] != event["state"] or event["call"] == "socket" else ""
        yield f"  {event['file']}:{event['line']}  {event['call']}(){arrow}{f'  [{outcome}]' if outcome else ''}"


def _write(text: str) -> None:
    """To standard error, whatever the program has made of sys.stderr, and also from a signal handler."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError, RuntimeError):  # gone, closed, or in use by what was interrupted
            stream.flush()
    with suppress(OSError):
        os.write(2, text.encode("utf-8", "replace"))
