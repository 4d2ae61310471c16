"""Runs the suite in a child process, and judges its end: only the run itself can report a pass.

An implementation may end the process, hang in C code where nothing interrupts it, or take the timer of the watchdog.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from lifecycle.cli.output import tell

PATIENCE = 20.0  # seconds without a sign of the run; a step that can be interrupted is interrupted much sooner
TICK = 0.25
RUNS, ENDED, PASSED = 1, 2, 3
_SIZE = 4096


class Supervised:
    """The run's reports to the waiting process: its phase, signs of progress, and the current step."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, _SIZE)
        self._parent = os.getpid()

    def mark(self, how_far: int) -> None:
        """Report that the run begins, has ended, or is a pass."""
        self._shared[0] = max(how_far, self._shared[0])

    def beat(self, role: str, steps: Sequence[str]) -> None:
        """Report progress and the current step. A run whose parent is gone ends."""
        if os.getppid() != self._parent:
            os._exit(1)
        self._shared[1] = (self._shared[1] + 1) & 0xFF
        if steps:
            self._shared[2:] = f"{role}: {', '.join(steps)}".encode("utf-8", "replace")[: _SIZE - 2].ljust(_SIZE - 2, b"\0")

    def exit_code(self, child: int, over: int) -> int:
        """Wait for the child, whose end closes the other end of `over`; return the command's exit code."""
        if sys.platform == "win32":
            raise OSError("this system cannot fork")
        seen, since, hangs = -1, time.monotonic(), False
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            select.select([over], [], [], TICK)
            if (self._shared[0], self._shared[1]) != (RUNS, seen):
                seen, since = self._shared[1], time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                hangs = True
                os.kill(child, signal.SIGKILL)
                ended = os.waitpid(child, 0)
                break
        code = os.waitstatus_to_exitcode(ended[1])
        if self._shared[0] >= ENDED and code >= 0:
            return code if code or self._shared[0] == PASSED else 1
        step = self._shared[2:].rstrip(b"\0").decode("utf-8", "replace") or "trying what its sockets can do"
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended the process with exit code {code}"
        tell(f"FAILS: the implementation {'hangs where nothing interrupts it' if hangs else how}\n  last step: {step}")
        return 1


def supervised() -> Supervised | None:
    """Continue in a child process, and exit according to its end; None if the system cannot fork: all is done here."""
    if not hasattr(os, "fork"):
        return None
    shared = Supervised()
    over, end = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.close(over)  # `end` is closed when this process ends
        return shared
    os.close(end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child gets it too, and ends with a partial report

    def pass_on(number: int, frame: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    signal.signal(signal.SIGTERM, pass_on)
    sys.stdout.flush()
    os._exit(shared.exit_code(child, over))
