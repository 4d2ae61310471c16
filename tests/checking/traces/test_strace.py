"""What strace is asked for, and what becomes of a trace that it cannot make, or that the user ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecycle.checking.traces.strace import NothingTraced, exit_code, strace_command, trace_process, trace_program
from lifecycle.checking.traces.walk import WANTED
from lifecycle.roles.python.system_calls import LIFE_CYCLE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")

IN_ITS_PLACE = """#!{python}
import os, signal, sys

if {is_interrupted}:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # so that it is not lost before the wait
output = sys.argv[sys.argv.index("-o") + 1]
with open(output, "w") as trace:
    trace.write({calls!r})
if {is_interrupted}:
    for _ in range(10):  # where SIGINT is ignored, one is lost that comes before the handler is there
        os.kill(os.getppid(), signal.SIGINT)
        if signal.sigtimedwait([signal.SIGTERM], 3):
            break
sys.exit({code})
"""
CALLS = "7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n7 listen(3, 5) = 0\n"


@pytest.fixture
def tracer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put a program in the place of strace, which writes these calls."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def put(calls: str, *, code: int = 0, is_interrupted: bool = False) -> Path:
        path = tmp_path / "strace"
        source = IN_ITS_PLACE.format(python=sys.executable, calls=calls, code=code, is_interrupted=is_interrupted)
        path.write_text(source, encoding="utf-8")
        path.chmod(0o755)
        return path

    return put


def test_interrupt_ends_a_trace_and_drops_no_call(tracer: Callable[..., Path]) -> None:
    """When the user interrupts, strace is ended, and the last call that it wrote is judged, too."""
    before = signal.getsignal(signal.SIGINT)
    tracer(CALLS, is_interrupted=True)
    code, walk = trace_process(os.getpid())
    assert (code, [each.call.name for each in walk.violations]) == (0, ["listen"])
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(("calls", "code", "is_traced"), [("", 0, True), ("", 1, False), (CALLS, 1, True), ("", 2, True)])
def test_process_that_strace_cannot_attach_to(tracer: Callable[..., Path], calls: str, code: int, is_traced: bool) -> None:
    """The exit code 1 without any call means that nothing was traced; with calls, it is the program's own."""
    tracer(calls, code=code)
    if is_traced:
        assert trace_process(os.getpid())[0] == code
    else:
        with pytest.raises(NothingTraced, match=f"process {os.getpid()} was not traced"):
            trace_process(os.getpid())


@pytest.mark.parametrize("number", [2**22 + 1, 2**70])
def test_process_that_is_not_there(tracer: Callable[..., Path], number: int) -> None:
    """A number that no process has, or that none can have, is named, and strace is not run."""
    tracer(CALLS)
    with pytest.raises(NothingTraced, match=f"there is no process {number}"):
        trace_process(number)


def test_program_that_strace_did_not_run(tracer: Callable[..., Path]) -> None:
    """A trace in which no program begins is none; one in which it begins has the exit code that strace gives."""
    tracer(CALLS, code=3)
    with pytest.raises(NothingTraced, match="'true' was not run"):
        trace_program(["true"])
    tracer('7 execve("/bin/true", ["true"], 0x1) = 0\n' + CALLS, code=3)
    code, walk = trace_program(["true"])
    assert (code, walk.programs, len(walk.violations)) == (3, 1, 1)


def test_command_of_strace(tracer: Callable[..., Path]) -> None:
    """The calls that are read are asked for, each of which a machine may lack; stacks only on request."""
    path = str(tracer(""))
    command = strace_command(only_life_cycle=False, stacks=True, output="x")
    assert command == [
        path, "-k", "-f", "-qq", "-s", "64", "-e", f"trace={','.join(f'?{name}' for name in sorted(WANTED))}",
        "-e", "signal=none", "-o", "x",
    ]  # fmt: skip
    narrow = strace_command(only_life_cycle=True, stacks=False, output="x")
    assert narrow == [path, *command[2:7], f"trace={','.join(f'?{name}' for name in LIFE_CYCLE)}", *command[8:]]


@pytest.mark.parametrize(("code", "shown"), [(0, 0), (1, 1), (255, 255), (-1, 129), (-9, 137)])
def test_exit_code_as_a_shell_has_it(code: int, shown: int) -> None:
    """A program that a signal ends has 128 and the signal's number."""
    assert exit_code(code) == shown
