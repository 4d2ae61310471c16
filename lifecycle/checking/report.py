"""The report of a run: a summary on standard error, and the requested files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lifecycle.checking.checkers import Checker
from lifecycle.checking.findings import grouped
from lifecycle.checking.formats.problems import SCHEMA_VERSION, project_settings
from lifecycle.checking.formats.writers import WRITERS
from lifecycle.checking.run_problems import failing, problem_of, remaining
from lifecycle.checking.run_text import for_terminal, summary
from lifecycle.checking.settings import Settings
from lifecycle.system.output import printable_lines, write_whole

NOT_BEGUN = "the program, which did not begin"
NOTHING_CHECKED = "lifecycle: the program did not begin, so nothing was checked\n"


def report_run(
    settings: Settings,
    checker: Checker,
    children: Sequence[tuple[str, Any]],
    unseen: Sequence[str] = (),
    *,
    has_begun: bool = True,
) -> bool:
    """Write the summary and the files; whether the run has failed.

    children: ("finding" or "recorded", data) of the processes that the program started. unseen: what was lost sight of.
    has_begun: False where Python could not run the program.
    """
    if not has_begun:
        unseen = (NOT_BEGUN, *unseen)
    findings: list[Mapping[str, Any]] = [finding.as_data() for finding in checker.findings]
    findings += [data for kind, data in children if kind == "finding"]
    groups = _remaining(settings, findings)
    findings = [finding for group in groups for finding in group]
    if settings.report is not None:
        with _reporting_failure(settings.report):
            write_report(settings.report, checker, findings, unseen)
    if settings.keeps_all:
        from lifecycle.checking.charts import read_recorded, recorded, write_charts

        sockets = recorded(checker.tracks)
        sockets += [read_recorded(data) for kind, theirs in children if kind == "recorded" for data in theirs]
        with _reporting_failure(settings.chart or settings.html):
            for note in write_charts(settings, sockets, findings):
                _write(f"lifecycle: {note}\n")
    if not has_begun:
        _write(NOTHING_CHECKED)
    elif not settings.quiet:
        text = "".join(f"{line}\n" for line in summary(findings, checker.left_out, shows_all=settings.all, unseen=unseen))
        if settings.output_format != "text":
            text = WRITERS[settings.output_format]([problem_of(group) for group in groups], unseen)
        _hand_over(text, settings.output, is_text=settings.output_format == "text")
    return failing(groups, settings.fail_on)


def _remaining(settings: Settings, findings: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Mapping[str, Any]]]:
    """The findings by cause, without silenced ones; all of them, and a message, if the settings cannot be read."""
    try:
        project = project_settings(Path(settings.start))
        return remaining(findings, project, settings.baseline, settings.write_baseline)
    except (OSError, ValueError) as error:
        place = f"{settings.write_baseline}: " if isinstance(error, OSError) and error.filename is None else ""
        _write(f"lifecycle: {place}{error}\n")
        return grouped(findings)


def _hand_over(text: str, file: str | None, *, is_text: bool) -> None:
    """Write the findings to the file, or to standard error if that is not possible."""
    if file is not None:
        with _reporting_failure(file):
            write_whole(file, text)
            return
    _write(text, is_text=is_text)


def write_report(file: str, checker: Checker, findings: Sequence[Mapping[str, Any]], unseen: Sequence[str] = ()) -> None:
    """Write the findings as JSON. unseen: what was lost sight of. Raises OSError where the file cannot be written."""
    data: dict[str, Any] = {
        "version": SCHEMA_VERSION,
        "findings": findings,
        "left_out": checker.left_out,
        "sockets": checker.sockets,
    }
    data["unseen"] = list(unseen)
    write_whole(file, json.dumps(data, indent=2) + "\n")


@contextmanager
def _reporting_failure(file: str | None) -> Iterator[None]:
    """Report a file that cannot be written, without ending the program by an error."""
    try:
        yield
    except OSError as error:
        _write(f"lifecycle: cannot write {file}: {error.strerror}\n")


def _write(text: str, *, is_text: bool = True) -> None:
    """To standard error, even if the program has replaced sys.stderr, and also from a signal handler."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError, RuntimeError):  # gone, closed, or in use by the interrupted code
            stream.flush()
    with suppress(OSError):
        shown = printable_lines(text)
        os.write(2, (for_terminal(shown, 2) if is_text else shown).encode("utf-8", "replace"))
