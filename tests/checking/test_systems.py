"""`lifecycle run --for`: whose portability matters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import socket
with socket.socket() as listener:
    listener.listen()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux takes listen() on an unbound socket")
@pytest.mark.parametrize(
    ("systems", "kinds"),
    [(None, ["portability"]), ("linux", []), ("linux,macos", ["portability"])],
)
def test_a_finding_that_no_chosen_system_minds_is_not_reported(systems: str | None, kinds: list[str], tmp_path: Path) -> None:
    """listen() on an unbound socket: Linux takes it, Windows refuses it, and of macOS nothing is known."""
    report = tmp_path / "found.json"
    options = [] if systems is None else ["--for", systems]
    command = [sys.executable, "-m", "lifecycle", "run", "--quiet", *options, "--report", str(report), "-c", PROGRAM]
    subprocess.run(command, timeout=30, check=True)
    assert [found["kind"] for found in json.loads(report.read_text())["findings"]] == kinds


def test_an_unknown_system_is_wrong_usage() -> None:
    """Only the systems of the platform tables can be chosen."""
    command = [sys.executable, "-m", "lifecycle", "run", "--for", "plan9", "-c", "pass"]
    done = subprocess.run(command, timeout=30, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "plan9" in done.stderr
