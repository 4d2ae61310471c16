"""The command under test: in a process of its own as users run it, or in this one, which is faster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result
from loopback import PROGRAM_ENDS

from lifecycle.cli.app import app
from lifecycle.engine import default_engine

COMMAND = (sys.executable, "-W", "error", "-m", "lifecycle")


def environment(columns: int = 80) -> dict[str, str]:
    """This process's environment at a width of its own, and without what would force or forbid colours."""
    kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "TERM")}
    ours = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LIFECYCLE_ENGINE": default_engine()}
    return {**kept, **ours, "COLUMNS": str(columns), "TERM": "xterm-256color"}


def run_command(
    *arguments: str, columns: int = 80, seconds: float = PROGRAM_ENDS, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """`lifecycle ARGUMENTS` in a process of its own, with its output piped."""
    return subprocess.run(
        (*COMMAND, *arguments), env=environment(columns), cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
    )


def invoke(*arguments: str, columns: int = 80) -> Result:
    """`lifecycle ARGUMENTS` in this process."""
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(app, arguments, prog_name="lifecycle", catch_exceptions=False)
