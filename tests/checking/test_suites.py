"""CPython's own suites under the checker: one of them here; all of them by `python tests/checking/suites.py`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from checking.explained import EXPLAINED, unexplained
from cli.command import environment
from loopback import PROGRAM_ENDS


def test_reviewed_list_is_short_and_says_why() -> None:
    """At most six rows explain the findings in one suite, and each says why the test wants them, or why they do no harm."""
    rows = Counter(suite for row in EXPLAINED for suite in row.suites)
    assert max(rows.values()) <= 6, rows.most_common(3)
    assert all(len(row.reason.split()) >= 8 for row in EXPLAINED)


def test_a_row_is_about_its_suite_only() -> None:
    """A row explains a finding in its suite, named by CPython's name or a path to a package's tests, and in no other one."""
    (row, *_) = (row for row in EXPLAINED if row.suites == ["test_socket"])
    finding = {"kind": row.kind, "state": row.states[0], "call": row.calls[0], "function": row.functions[0]}
    assert unexplained("test_socket", [finding]) == []
    assert unexplained("/packages/test_socket-3.11/tests", [finding]) == []
    assert unexplained("test_socketserver", [finding]) == [finding]
    assert unexplained("/packages/test_socket_more/tests", [finding]) == [finding]


PLUGINS = Path(__file__).parent / "plugins"

LEAVES_A_CYCLE = """
finalized = []

class Cycle:
    def __init__(self):
        self.me = self

    def __del__(self):
        finalized.append(1)

def test_leaves_a_cycle():
    Cycle()

def test_after_it():
    assert finalized
"""


@pytest.mark.parametrize(("options", "failed"), [((), 1), (("-p", "collect_each_test"), 0)], ids=["without", "with"])
def test_garbage_of_a_test_is_collected_at_its_end(tmp_path: Path, options: tuple[str, ...], failed: int) -> None:
    """With the plugin of --collect, what a test leaves in a cycle is finalized before the next test; without it, later."""
    (tmp_path / "test_cycle.py").write_text(LEAVES_A_CYCLE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(tmp_path)]
    alone = {**environment(), "PYTHONPATH": str(PLUGINS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, env=alone, cwd=tmp_path, capture_output=True, text=True, timeout=PROGRAM_ENDS, check=False)
    assert done.returncode == failed, done.stdout + done.stderr
    assert f"{2 - failed} passed" in done.stdout


@pytest.mark.skipif(importlib.util.find_spec("test.test_httplib") is None, reason="this Python comes without its own tests")
def test_a_suite_of_cpython_is_the_same() -> None:
    """A suite of CPython gives the same results with the checker as without, and no finding that is not explained."""
    command = [sys.executable, str(Path(__file__).parent / "suites.py"), "test_httplib"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of them not explained" in done.stdout
