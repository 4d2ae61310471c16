"""CPython's own suites under the checker: one of them here; all of them by `python tests/checking/suites.py`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from checking.explained import EXPLAINED
from cli.command import environment


def test_reviewed_list_is_short_and_says_why() -> None:
    """At most twenty-four rows explain findings in the suites of CPython and of packages, each with a reason."""
    assert len(EXPLAINED) <= 24
    assert all(row.reason for row in EXPLAINED)


@pytest.mark.skipif(importlib.util.find_spec("test.test_httplib") is None, reason="this Python comes without its own tests")
def test_a_suite_of_cpython_is_the_same() -> None:
    """A suite of CPython gives the same results with the checker as without, and no finding that is not explained."""
    command = [sys.executable, str(Path(__file__).parent / "suites.py"), "test_httplib"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of them not explained" in done.stdout
