"""What type checkers see: the package itself, on every platform, and users' programs with every public call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from long_form import WHOLE

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = [str(Path(__file__).with_name(name)) for name in ("public_calls.py", "archive_calls.py", "aio_calls.py")]


def check(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a type checker of this environment."""
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"] if WHOLE else ["win32"])
def test_mypy_finds_nothing(platform: str) -> None:
    """mypy --strict is clean on the package and on programs that use every public call, on each platform.

    The suite asks for the one that is farthest from this machine; the whole form and `.ci/run` for all.
    """
    done = check("mypy", "--strict", "--platform", platform, "--cache-dir", f".mypy_cache/{platform}", "lifecycle", *PROGRAMS)
    assert done.returncode == 0, done.stdout


@pytest.mark.timeout(180)
def test_pyright_finds_nothing() -> None:
    """pyright is clean on those programs, and in the whole form, as in `.ci/run`, on the package."""
    if check("pyright", "--version").returncode != 0:
        pytest.skip("pyright fetches itself from npm when it first runs, and could not")
    done = check("pyright", "--pythonpath", sys.executable, *(["lifecycle"] if WHOLE else []), *PROGRAMS)
    assert done.returncode == 0, done.stdout
