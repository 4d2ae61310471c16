"""What type checkers see: the package itself, on every platform, and users' programs with every public call.

It takes a minute of processor time, so it is in the whole form of the suite, and in `.ci/run`.
"""

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


pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not WHOLE, reason="type checkers run in the whole form (LIFECYCLE_TESTS=whole) and in .ci/run"),
]


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_mypy_finds_nothing(platform: str) -> None:
    """mypy --strict is clean on the package and on programs that use every public call, on each platform."""
    done = check("mypy", "--strict", "--platform", platform, "--cache-dir", f".mypy_cache/{platform}", "lifecycle", *PROGRAMS)
    assert done.returncode == 0, done.stdout


def test_pyright_finds_nothing() -> None:
    """pyright is clean on those programs, and on the package."""
    if check("pyright", "--version").returncode != 0:
        pytest.skip("pyright fetches itself from npm when it first runs, and could not")
    done = check("pyright", "--pythonpath", sys.executable, "lifecycle", *PROGRAMS)
    assert done.returncode == 0, done.stdout
