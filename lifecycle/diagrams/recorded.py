"""Recorded runs: reads the lines of a journal, and writes charts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

from lifecycle.diagrams.explorer import explorer_page
from lifecycle.diagrams.formats import format_of
from lifecycle.diagrams.sequence import CHART_FORMATS, sequence_chart
from lifecycle.engine import LifecycleError, Record, Role
from lifecycle.roles import ROLES
from lifecycle.system.output import write_whole

RUN_FORMATS = (*CHART_FORMATS, "html")
"""The formats of a recorded run: charts, and the page to step through it"""

LARGEST = 1 << 53
"""A limit above all times, in seconds, and all line numbers"""

_FIELDS = get_type_hints(Record)
_REQUIRED = {field.name for field in fields(Record) if field.default is MISSING}


class NotAJournal(LifecycleError, ValueError):
    """A line is not a record of a journal; the message gives its number."""


def read_records(lines: Iterable[str]) -> list[Record]:
    """The records of a journal's lines, as `lifecycle demo --json` prints them: one JSON object per line. Skips empty lines.

    Raises NotAJournal, with the first line that is not a record, and the reason.
    """
    return [_record(line, number) for number, line in enumerate(lines, 1) if line.strip()]


def _record(line: str, number: int) -> Record:
    try:
        data: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NotAJournal(f"line {number} is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise NotAJournal(f"line {number} is not a JSON object but a {type(data).__name__}")
    missing = sorted(_REQUIRED - data.keys())
    if missing:
        raise NotAJournal(f"line {number} has no {missing[0]!r}, so it is not a record of a journal")
    known = {name: value for name, value in data.items() if name in _FIELDS}
    for name, value in known.items():
        if not _fits(value, _FIELDS[name]):
            raise NotAJournal(f"line {number}: {name} is {_shortened(value)}")
    return Record(**known)


def _fits(value: object, kind: Any) -> bool:
    """Whether a value is of a field's type, and finite; JSON may write 1.0 as 1."""
    if type(value) in (int, float) and not -LARGEST < value < LARGEST:  # type: ignore[operator]
        return False
    return isinstance(value, kind) or (type(value) is int and isinstance(float(value), kind))


def _shortened(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # a number of more digits than Python writes
        return "a number that is too large"
    return f"{text[:80]}..." if len(text) > 80 else text


def save_run(records: Iterable[Record], path: str | Path, *, roles: Mapping[str, Role] = ROLES) -> None:
    """Write a recorded run to a file: a chart (.txt, .mmd, .svg), or the page to step through it (.html).

    roles: name -> role, for the meaning of outcomes and for the page's pictures; add your own to ROLES.

    Raises UnknownFormat for another suffix, before anything is written; OSError if the file cannot be written.
    """
    format = format_of(path, RUN_FORMATS)
    records = list(records)
    if format == "html":
        used = {record.role for record in records}
        text = explorer_page((role for name, role in roles.items() if name in used) if used else ROLES.values(), records)
    else:
        text = sequence_chart(records, format, width=120, roles=roles)
    write_whole(path, text)
