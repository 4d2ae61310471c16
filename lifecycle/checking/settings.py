"""The settings of `lifecycle run`, and the folder by which they reach the program and its children."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

VARIABLE = "LIFECYCLE_RUN"
FILE = "settings.json"
FOLLOWING = Path(__file__).parent / "following"


class Mode(StrEnum):
    """How an illegal call is treated."""

    OBSERVE = "observe"
    WARN = "warn"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a run.

    report, chart, html: files to write. connection: the number of the connection to chart, from 1; None for all. systems: those
    to be portable to; empty for all. strict: give notes, too. fail_on: the kinds of findings with which the run ends with exit
    code 1. output_format: of formats.writers. output: the file for it; None for standard error. baseline: a file of problems
    that are known. write_baseline: the file to write them to. start: the folder in which the run began, whose project's
    settings apply. live: write events for a page that shows them at once. all: show every cause.
    """

    mode: Mode = Mode.OBSERVE
    quiet: bool = False
    report: str | None = None
    chart: str | None = None
    html: str | None = None
    connection: int | None = None
    systems: tuple[str, ...] = ()
    strict: bool = False
    fail_on: tuple[str, ...] = ()
    output_format: str = "text"
    output: str | None = None
    baseline: str | None = None
    write_baseline: str | None = None
    start: str = "."
    live: bool = False
    all: bool = False

    @property
    def keeps_all(self) -> bool:
        """Whether every call is recorded, for charts."""
        return self.chart is not None or self.html is not None


def environment(settings: Settings, present: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a Python checks its program; makes the folder that the processes of the run share."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="lifecycle-"))
    except FileNotFoundError:  # no folder for temporary files can be written; Linux has memory under a name
        folder = Path(tempfile.mkdtemp(prefix="lifecycle-", dir="/dev/shm"))
    (folder / FILE).write_text(json.dumps(asdict(settings)), encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(FOLLOWING), present.get("PYTHONPATH", ""))))
    return {**present, VARIABLE: str(folder), "PYTHONPATH": path}


def read_settings(folder: Path) -> Settings:
    """The settings of the run that shares `folder`."""
    data = json.loads((folder / FILE).read_text(encoding="utf-8"))
    tuples = {name: tuple(data[name]) for name in ("systems", "fail_on")}
    return Settings(**{**data, **tuples, "mode": Mode(data["mode"])})
