"""What an installation costs: the packages that the core needs, and the modules that an idle run of pytest loads."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lifecycle

PYPROJECT = Path(lifecycle.__file__).parents[1] / "pyproject.toml"

IDLE = {
    "lifecycle",
    "lifecycle.checking",
    "lifecycle.checking.pytest_plugin",
    "lifecycle.conformance",
    "lifecycle.conformance.plugin",
}
"""what pytest loads of this package where none of its options is given"""


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    """The table `project` of pyproject.toml."""
    if not PYPROJECT.exists():
        pytest.skip("the package is installed without its source")
    return tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]


def test_core_depends_on_transitions_only(project: dict[str, object]) -> None:
    """Without an extra, nothing is installed but the package, transitions, and what transitions needs."""
    assert [str(each).split(">")[0] for each in project["dependencies"]] == ["transitions"]


def test_extras_refer_to_this_distribution(project: dict[str, object]) -> None:
    """An extra that includes others names this distribution, not the stranger's package called lifecycle."""
    assert project["name"] == "socket-lifecycle"
    extras = project["optional-dependencies"]
    assert set(extras) == {
        "aio",
        "all",
        "benchmark",
        "cli",
        "conformance",
        "cluster",
        "cpp",
        "diagrams",
        "learn",
        "docs",
        "ole",
        "test",
    }
    named = [each.split("[")[0] for needs in extras.values() for each in needs if "lifecycle" in each]
    assert named
    assert set(named) == {"socket-lifecycle"}
    everything = extras["all"][0].split("[")[1].rstrip("]").split(",")
    assert set(everything) == {"aio", "cli", "cluster", "conformance", "cpp", "diagrams", "learn", "ole"}


def test_idle_pytest_run_loads_the_plugins_alone(project: dict[str, object], tmp_path: Path) -> None:
    """A run of pytest without our options loads the two plugins and their packages, and no other module of ours."""
    plugins = project["entry-points"]["pytest11"].values()
    (tmp_path / "test_idle.py").write_text(
        "import sys\n"
        "def test_idle():\n"
        "    print('loaded', *sorted(name for name in sys.modules if name.split('.')[0] == 'lifecycle'))\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-s", *(f"-p{each}" for each in plugins)]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [*command, "test_idle.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    loaded = next(line for line in done.stdout.splitlines() if line.startswith("loaded"))
    assert set(loaded.split()[1:]) == IDLE
