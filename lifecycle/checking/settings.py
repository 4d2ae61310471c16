"""What `lifecycle run` was asked for, and how it reaches the program and its children: by a folder."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "LIFECYCLE_RUN"
FILE = "settings.json"
FOLLOWING = Path(__file__).parent / "following"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for.

    mode: observe, warn or enforce. report, chart, html: files to write. connection: which one to chart, from 1; None for all.
    """

    mode: str = "observe"
    quiet: bool = False
    report: str | None = None
    chart: str | None = None
    html: str | None = None
    connection: int | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether every call is wanted, for charts."""
        return self.chart is not None or self.html is not None


def environment(settings: Settings, present: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a Python checks its program; makes the folder in which the processes of the run meet."""
    folder = Path(tempfile.mkdtemp(prefix="lifecycle-"))
    (folder / FILE).write_text(json.dumps(asdict(settings)), encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(FOLLOWING), present.get("PYTHONPATH", ""))))
    return {**present, VARIABLE: str(folder), "PYTHONPATH": path}


def read_settings(folder: Path) -> Settings:
    """The settings of the run that meets in `folder`."""
    return Settings(**json.loads((folder / FILE).read_text(encoding="utf-8")))
