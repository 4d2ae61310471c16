"""Journals that were written down: reads back what Journal.lines() wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from lifecycle.diagrams.errors import NotAJournal
from lifecycle.engine import Record

_FIELDS = get_type_hints(Record)
_REQUIRED = {field.name for field in fields(Record) if field.default is MISSING}


def read_records(lines: Iterable[str]) -> list[Record]:
    """The records of a journal's lines, as `lifecycle demo --json` prints them: one JSON object a line. Empty ones are skipped.

    Raises NotAJournal, naming the first line that is no record, and why.
    """
    return [_record(line, number) for number, line in enumerate(lines, 1) if line.strip()]


def _record(line: str, number: int) -> Record:
    try:
        data: Any = json.loads(line)
    except ValueError as error:
        raise NotAJournal(f"line {number} is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise NotAJournal(f"line {number} is no JSON object but {type(data).__name__}")
    missing = sorted(_REQUIRED - data.keys())
    if missing:
        raise NotAJournal(f"line {number} has no {missing[0]!r}, so it is no record of a journal")
    known = {name: value for name, value in data.items() if name in _FIELDS}
    for name, value in known.items():
        if not _fits(value, _FIELDS[name]):
            raise NotAJournal(f"line {number}: {name} is {value!r}")
    return Record(**known)


def _fits(value: object, kind: Any) -> bool:
    """Whether a value is of a field's type; JSON may write 1.0 as 1."""
    return isinstance(value, kind) or (type(value) is int and isinstance(float(value), kind))
