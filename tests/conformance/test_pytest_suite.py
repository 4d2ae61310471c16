"""conformance_suite() in a pytest of its own: names of cells, depth, coverage at the end, and in several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from conformance.faulty import LAMP, Lamp
from loopback import PROGRAM_ENDS

from lifecycle import SERVER
from lifecycle.conformance import GovernedAdapter, conformance_machine, conformance_suite
from lifecycle.conformance.model.graph import cells_of
from lifecycle.conformance.suite import Suite

TESTS = Path(__file__).parent.parent


PLUGIN = "-plifecycle.conformance.plugin"
OTHERS_LEFT_OUT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # loading every installed plugin is a third of a run's work


def run_pytest(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A pytest in a process of its own, on one file, with no other plugin than this one and those that the arguments name."""
    return _run(folder, source, PLUGIN, *arguments, **OTHERS_LEFT_OUT)


def run_pytest_as_installed(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same with every installed plugin; this one is named where the package is run from its source."""
    registered = entry_points(group="pytest11", name="lifecycle_conformance")
    return _run(folder, source, *(() if registered else (PLUGIN,)), *arguments)


def _run(folder: Path, source: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(source, encoding="utf-8")
    ours = {"PYTHONPATH": os.pathsep.join(filter(None, [*sys.path, str(TESTS)])), **variables}
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, "test_it.py")
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PROGRAM_ENDS, check=False, env={**os.environ, **ours}
    )


SOUND = """
from lifecycle import SERVER
from lifecycle.conformance import GovernedAdapter, conformance_suite

TestServer = conformance_suite(SERVER, GovernedAdapter)
"""

FAULTY = """
from conformance.faulty import half_shut
from lifecycle import CLIENT
from lifecycle.conformance import conformance_suite

TestClient = conformance_suite(CLIENT, half_shut)
"""

LAMPS = """
from conformance.faulty import LAMP, lamps, tougher_lamps
from lifecycle.conformance import conformance_machine, conformance_suite

TestLamp = conformance_suite(LAMP, lamps, depth=3)
TestTougher = conformance_suite(LAMP, tougher_lamps)
TestMachine = conformance_machine(LAMP, lamps).TestCase
"""


def test_there_is_one_test_per_cell(tmp_path: Path) -> None:
    """Each (state, call, outcome) and each illegal call is a test, named so that a failing cell is named."""
    listed = run_pytest(tmp_path, SOUND, "--collect-only", "-q").stdout
    names = [line.partition("[")[2][:-1] for line in listed.splitlines() if "::" in line]
    assert len(names) == len(set(names)) == len(cells_of(SERVER))
    assert {"server[bound]-accept-illegal", "server[bound]-listen-ok", "server[empty]-create-failed"} <= set(names)


@pytest.mark.parametrize("arguments", [("-p", "xdist", "-n", "2"), ("--conformance-depth", "2")], ids=["xdist", "deeper"])
def test_a_sound_implementation_passes_with_its_coverage_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """All tests pass, in one process and in two, and the summary has the cells that were reached."""
    ran = run_pytest(tmp_path, SOUND, "-q", *arguments)
    assert ran.returncode == 0, ran.stdout
    cells = len(cells_of(SERVER))
    assert f"conformance of server: {cells} cells reached, 0 differ as explained, of {cells}" in ran.stdout


def test_a_failing_cell_is_named_and_can_be_had_again(tmp_path: Path) -> None:
    """The wrong cell fails under its name, with the program that shows it; so do those that are reached through it."""
    ran = run_pytest(tmp_path, FAULTY, "-q")
    failed = [line for line in ran.stdout.splitlines() if line.startswith("FAILED")]
    assert "client[connected]-shut_down-both" in failed[0]
    assert len(failed) < 8
    assert "replay(" in ran.stdout
    assert "'conformance.faulty:half_shut', 'client'" in ran.stdout


def test_a_role_of_ones_own_has_a_suite(tmp_path: Path) -> None:
    """A declared role has its tests, and a machine whose table of cells is printed at the end."""
    ran = run_pytest(tmp_path, LAMPS, "-q")
    failed = [line for line in ran.stdout.splitlines() if line.startswith("FAILED")]
    assert "FAILED test_it.py::TestTougher::test_cell[lamp[dark]-switch_on-broken]" in (
        line.partition(" - ")[0] for line in failed
    )
    assert all("TestTougher" in line for line in failed)
    assert "TestMachine::runTest reached\nlamp" in ran.stdout
    assert "(100.0%), 4/4 states" in ran.stdout


def test_what_makes_no_adapter_is_told() -> None:
    """A class under test in the place of what makes its adapter is a TypeError that says what is wanted."""
    for use in (lambda: Suite(LAMP, Lamp).model, lambda: conformance_machine(LAMP, Lamp)):
        with pytest.raises(TypeError, match="is not an adapter: pass a factory of a SocketAdapter"):
            use()


def test_what_is_no_role_is_told() -> None:
    """A role's name in its place is a TypeError when the suite or the machine is made."""
    for make in (conformance_suite, conformance_machine):
        with pytest.raises(TypeError, match="'server' is not a Role: give the role itself"):
            make("server", GovernedAdapter)  # type: ignore[operator]


def test_a_depth_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """The option's values are those that the suite has."""
    ran = run_pytest_as_installed(tmp_path, SOUND, "--conformance-depth", "4")
    assert ran.returncode == 4
    assert "choose from" in ran.stderr
