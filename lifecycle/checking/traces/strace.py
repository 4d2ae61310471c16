"""Runs a program under strace, or attaches to one, and walks its calls as they are made."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lifecycle.checking.traces.walk import WANTED, Walk
from lifecycle.roles.python.system_calls import LIFE_CYCLE

ELEMENTS = "64"  # of an array that are shown, and bytes of a string: an array that is cut hides who is waited for


CANNOT_ATTACH = 1  # the exit code of strace where it has attached to no process


class TracerMissing(Exception):
    """strace or bpftrace is not installed, may not be used, or this system has none."""


class NothingTraced(Exception):
    """There is no such program or process, or it cannot be run or attached to: nothing was checked."""


def existing_program(name: str) -> None:
    """Raise NothingTraced unless there is a program of that name on the path, or at that place."""
    if shutil.which(name) is None:
        is_there = os.path.dirname(name) and os.path.exists(name)
        raise NothingTraced(f"{name!r} is not an executable program" if is_there else f"there is no program {name!r}")


def existing_process(number: int) -> None:
    """Raise NothingTraced unless there is such a process."""
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        raise NothingTraced(f"there is no process {number}") from None
    except PermissionError:  # of another user
        return


def strace_command(*, only_life_cycle: bool, stacks: bool, output: str) -> list[str]:
    """The command of strace with its options; raises TracerMissing."""
    strace = shutil.which("strace")
    if strace is None:
        raise TracerMissing("strace is not installed: it is a package of most Linux distributions")
    calls = LIFE_CYCLE if only_life_cycle else sorted(WANTED)
    known = ",".join(f"?{name}" for name in calls)  # the mark: a name that this machine lacks is not an error
    options = ["-f", "-qq", "-s", ELEMENTS, "-e", f"trace={known}", "-e", "signal=none", "-o", output]
    return [strace, *(["-k"] if stacks else []), *options]


@contextmanager
def _pipe() -> Iterator[Path]:
    """A named pipe: the trace is read while it is written, and needs no disk."""
    with tempfile.TemporaryDirectory(prefix="lifecycle-trace-") as folder:
        path = Path(folder, "calls")
        if sys.platform == "win32":
            raise TracerMissing("Windows has no strace")
        os.mkfifo(path)
        yield path


def trace_program(program: Sequence[str], *, only_life_cycle: bool = False, stacks: bool = False) -> tuple[int, Walk]:
    """Run a program with its children; its exit code (128 and the number of a signal that ended it), and its walk.

    Raises NothingTraced where the program cannot be run, TracerMissing where strace cannot.
    """
    existing_program(program[0])
    with _pipe() as path:
        command = strace_command(only_life_cycle=only_life_cycle, stacks=stacks, output=str(path))
        code, walk = _run([*command, "--seccomp-bpf", "--", *program], path)
    if not walk.programs:  # strace has printed the reason
        raise NothingTraced(f"{program[0]!r} was not run")
    return code, walk


def trace_process(process: int, *, only_life_cycle: bool = False, stacks: bool = False) -> tuple[int, Walk]:
    """Attach to a running process, until it ends or the trace is interrupted.

    Raises NothingTraced where there is none, or it must not be traced, TracerMissing where strace cannot be used.
    """
    existing_process(process)
    with _pipe() as path:
        command = strace_command(only_life_cycle=only_life_cycle, stacks=stacks, output=str(path))
        code, walk = _run([*command, "-p", str(process)], path)
    if code == CANNOT_ATTACH and not walk.calls:
        raise NothingTraced(f"process {process} was not traced")
    return code, walk


def _run(command: Sequence[str], path: Path) -> tuple[int, Walk]:
    if sys.platform == "win32":
        raise TracerMissing("Windows has no strace")
    walk = Walk()
    keep = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # so that neither side waits for ever for the other to open it
    try:
        with open(path, errors="replace") as lines, subprocess.Popen(command) as strace:
            os.set_blocking(lines.fileno(), True)
            closer = _close_when_done(strace, keep)
            keep = -1
            with interrupted_by(strace.terminate):  # it detaches from a process that it was attached to
                walk.read(lines)
            closer.join()
            return exit_code(strace.wait()), walk
    finally:
        if keep >= 0:
            os.close(keep)


@contextmanager
def interrupted_by(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` where the user interrupts: KeyboardInterrupt would drop the calls that were read and not yet judged."""
    former = signal.signal(signal.SIGINT, lambda number, frame: end())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _close_when_done(strace: subprocess.Popen[bytes], keep: int) -> threading.Thread:
    """Close our own end of the pipe when strace has ended: then the reader sees the end."""

    def close() -> None:
        strace.wait()
        os.close(keep)

    thread = threading.Thread(target=close, name="lifecycle-trace", daemon=True)
    thread.start()
    return thread


def exit_code(code: int) -> int:
    """The exit code as a shell gives it: 128 and the number of a signal that ended the program."""
    return 128 - code if code < 0 else code
