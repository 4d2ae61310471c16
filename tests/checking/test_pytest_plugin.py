"""`pytest --lifecycle`: findings come with the test that made them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli.command import environment
from loopback import PROGRAM_ENDS
from schemas import validated

TESTS = """
import ctypes
import socket
from socket import socket as Socket

import pytest

shared = Socket()

def test_correct():
    with Socket() as sock:
        sock.bind(("127.0.0.1", 0))
    ctypes.CDLL(None).socket(2, 1, 0)

def test_order():
    with Socket() as sock, pytest.raises(OSError):
        sock.recv(1)

@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_leak():
    Socket()

def test_portability_of_a_shared_socket():
    shared.getsockname()
    shared.close()
"""

PLUGIN = "-plifecycle.checking.pytest_plugin"
OTHERS_LEFT_OUT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # loading every installed plugin is most of a run's work


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A test run over TESTS with no other plugin than this one and those that the options name."""
    return _run(folder, PLUGIN, *options, **OTHERS_LEFT_OUT)


def run_pytest_as_installed(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A test run over TESTS with every installed plugin; this one is named where the package is run from its source."""
    registered = importlib.metadata.entry_points(group="pytest11", name="lifecycle")
    return _run(folder, *(() if registered else (PLUGIN,)), *options)


def _run(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_calls.py").write_text(TESTS, encoding="utf-8")
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *options)
    surroundings = {**environment(), **variables}
    return subprocess.run(
        command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=PROGRAM_ENDS, check=False
    )


def reported(output: str) -> list[tuple[str, str]]:
    """The (test, first words of the finding) in the summary."""
    blocks = [block for block in output.split("\n\n") if re.match(r"\S+:\d+:\d+: LC", block)]
    heads = [block.partition("\n")[0].partition(" LC")[2][4:] for block in blocks]
    tests = [found[1] if (found := re.search(r"^ +In (\S+)\.$", block, re.MULTILINE)) else "" for block in blocks]
    return [(test, head.partition(" on ")[0].partition(": a ")[0]) for test, head in zip(tests, heads, strict=True)]


FOUND = [
    ("test_calls.py::test_order", "order error: recv()"),
    ("test_calls.py::test_leak", "leak"),
    ("test_calls.py::test_portability_of_a_shared_socket", "not portable: getsockname()"),
]


def test_findings_come_with_their_tests(tmp_path: Path) -> None:
    """Each finding is printed with the test that made it, and what was not seen; observing fails no test."""
    done = run_pytest(tmp_path, "--lifecycle")
    assert "4 passed" in done.stdout, done.stdout
    assert sorted(reported(done.stdout)) == sorted(FOUND)
    assert "not seen: 1 open socket that Python's socket did not make" in done.stdout
    assert f"test_calls.py:{_line('sock.recv(1)')}:14: LC103 order error: recv()" in done.stdout


def test_option_may_stand_before_a_path(tmp_path: Path) -> None:
    """A word after the option that is not a mode is a path."""
    done = run_pytest(tmp_path, "--lifecycle", "test_calls.py::test_correct")
    assert "1 passed" in done.stdout, done.stdout
    assert "lifecycle: no findings" not in reported(done.stdout)


def test_enforcing_fails_the_test(tmp_path: Path) -> None:
    """With =enforce the illegal call raises IllegalCall in its test."""
    done = run_pytest(tmp_path, "--lifecycle=enforce", "-k", "portability or correct")
    assert "1 failed, 1 passed" in done.stdout
    assert "lifecycle.IllegalCall: socket.getsockname() is not legal in state 'open'." in done.stdout


def test_error_fails_the_run_and_no_test(tmp_path: Path) -> None:
    """With =error all tests pass and the run fails, which it does not with =observe."""
    done = run_pytest(tmp_path, "--lifecycle=error")
    assert (done.returncode, "4 passed" in done.stdout) == (1, True)
    assert run_pytest(tmp_path, "--lifecycle=observe").returncode == 0


def test_files_and_exit_code_of_a_test_run(tmp_path: Path) -> None:
    """A run fails on the kinds that were asked for, writes its problems, and passes with a baseline and an ignored code."""
    base = tmp_path / "base.json"
    out = tmp_path / "problems.json"
    done = run_pytest(tmp_path, "--lifecycle", "--lifecycle-fail-on=leak,order", f"--lifecycle-output={out}")
    assert (done.returncode, "4 passed" in done.stdout) == (1, True)
    assert {problem["code"] for problem in json.loads(out.read_text())["problems"]} == {"LC103", "LC208", "LC301"}
    run_pytest(tmp_path, "--lifecycle", f"--lifecycle-write-baseline={base}", "-k", "order or leak")
    (tmp_path / "pyproject.toml").write_text('[tool.lifecycle]\nignore = ["LC208"]\n', encoding="utf-8")
    done = run_pytest(tmp_path, "--lifecycle=error", f"--lifecycle-baseline={base}")
    assert (done.returncode, "lifecycle: no findings" in done.stdout) == (0, True)
    (tmp_path / "test_new.py").write_text(
        "import socket\n\ndef test_new():\n    socket.socket().detach()\n    socket.socket()\n"
    )
    done = run_pytest(tmp_path, "--lifecycle=error", f"--lifecycle-baseline={base}", "-W", "ignore")
    assert (done.returncode, "5 passed" in done.stdout) == (1, True)
    assert {test for test, _ in reported(done.stdout)} <= {"test_new.py::test_new", ""}
    assert "LC301" in done.stdout


UNSEEN = "import os, socket\n\ndef test_handed_out():\n    global number\n    number = socket.socket().detach()\n"


@pytest.mark.parametrize("workers", [pytest.param((), id="alone"), pytest.param(("-p", "xdist", "-n1"), id="worker")])
def test_file_of_problems_says_what_was_not_seen(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """The JSON of a test run has the words of its summary for what was not seen, also in a worker, and is of its schema."""
    if workers:
        pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    (tmp_path / "test_new.py").write_text(UNSEEN, encoding="utf-8")
    out = tmp_path / "problems.json"
    done = run_pytest(tmp_path, "--lifecycle", f"--lifecycle-output={out}", *workers, "test_new.py")
    words = "1 socket handed out by detach()"
    assert f"not seen: {words}" in done.stdout
    assert validated("problems", out.read_text(encoding="utf-8"))["unseen"] == [words]


def test_warning_warns(tmp_path: Path) -> None:
    """With =warn each finding is a warning of its test."""
    done = run_pytest(tmp_path, "--lifecycle=warn", "-k", "order")
    assert "LifecycleWarning: order error: recv()" in done.stdout


@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_findings_come_from_workers(tmp_path: Path) -> None:
    """Under pytest-xdist the workers' findings are printed at the end, with their tests."""
    done = run_pytest(tmp_path, "-p", "xdist", "--lifecycle", "-n1")
    assert "4 passed" in done.stdout, done.stdout
    assert sorted(reported(done.stdout)) == sorted(FOUND)


def test_nothing_is_loaded_unasked(tmp_path: Path) -> None:
    """Without the option the plugin loads no part of the checker, and prints nothing."""
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "def pytest_sessionfinish():\n"
        "    print('loaded', sorted(name for name in sys.modules if name.startswith('lifecycle.checking')))\n"
    )
    done = run_pytest_as_installed(tmp_path, "-k", "correct", "-s")
    assert "loaded ['lifecycle.checking', 'lifecycle.checking.pytest_plugin']" in done.stdout
    assert "findings" not in done.stdout


def _line(text: str) -> int:
    return next(number for number, line in enumerate(TESTS.splitlines(), 1) if text in line)
