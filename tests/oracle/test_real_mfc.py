"""The comparison with the real MFC, which needs Wine, a compiler for its ABI, and the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ASKED = "LIFECYCLE_ORACLE"


@pytest.mark.skipif(ASKED not in os.environ, reason=f"fetches Microsoft's MFC and runs it under Wine: {ASKED}=1, as in .ci/run")
@pytest.mark.timeout(400)
def test_nothing_differs_from_the_real_mfc_without_a_reason() -> None:
    """Stores, loads, random sequences, random maps, vectors and messages over TCP, in the short form."""
    done = subprocess.run([sys.executable, "-m", "tests.oracle", "--short"], cwd=ROOT, timeout=390, check=False)
    assert done.returncode == 0
