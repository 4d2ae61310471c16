"""The examples run as their users run them, and print what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import PROGRAM_ENDS

from lifecycle.engine import default_engine

EXAMPLES = Path(__file__).parent.parent / "examples"

PROMISES = {
    "echo.py": "client: sent 'goodbye', got 'goodbye'",
    "datagrams.py": "an empty message is a message: b'', and bob is still bound",
    "faulty_sockets.py": "found 5 of 5 faults",
    "refusals.py": "  Call listen() first. Legal here: listen,",
    "turnstile.py": "Turnstile.push() is not legal in state 'locked'.",
    "packets.py": "sender: 1000 of 0xff, 1000 acknowledged",
    "async_echo.py": "the client is ended",
    "httpcore_blocking.py": "https two b'hello'",
    "httpcore_awaited.py": "https <Response [200]>",
    "notifications.py": "42 is right",
    "logging_hook.py": "INFO Client connected: send(<6 bytes>) -> ok, ",
    "tracing_hook.py": "lifecycle.receive state=connected outcome=ok result=<6 bytes>",
    "chat.py": "cleo heard anna: hello, bela: hello, cleo: hello",
}


@pytest.mark.parametrize("name", PROMISES)
def test_example_runs(name: str) -> None:
    """An example ends by itself with exit code 0, warns of nothing, and prints its promised line."""
    ours = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LIFECYCLE_ENGINE": default_engine()}
    ran = subprocess.run(
        (sys.executable, "-W", "error", str(EXAMPLES / name)),
        capture_output=True, text=True, timeout=PROGRAM_ENDS, check=False, env={**os.environ, **ours},
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert any(line.startswith(PROMISES[name]) for line in ran.stdout.splitlines())


def test_every_example_is_run() -> None:
    """There is a promise for each file in the folder, and each is short."""
    found = {path.name: len(path.read_text().splitlines()) for path in EXAMPLES.glob("*.py")}
    assert set(found) == set(PROMISES)
    assert max(found.values()) <= 70
