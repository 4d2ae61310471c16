"""What the script of bpftrace tells of each call, as strace would show it."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecycle.checking.traces import bpf
from lifecycle.checking.traces.strace import TracerMissing
from lifecycle.roles.python.system_calls import CONNECTS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the numbers are Linux's")

CLOSES_AT_EXEC = 0o2000000
ABOVE = 1 << 40  # bits above an int, which the kernel does not look at

SHOWN = [
    ("accept4 3 1 2 0", "3, "),
    (f"accept4 3 1 {CLOSES_AT_EXEC} 0", "3, SOCK_CLOEXEC"),
    (f"close_range 3 {ABOVE | 9} 0 0", "3, 9"),
    ("close_range 3 4294967295 4 0", "3, 4294967295, CLOEXEC"),
    ("close_range 3 9 3 0", "3, 9"),
    ("connect 3 1 16 2", "3, sa_family="),
    ("connect 3 1 16 65536", "3, AF_UNSPEC"),
    ("dup3 3 4 1 0", "3, "),
    (f"dup3 3 4 {CLOSES_AT_EXEC} 0", "3, O_CLOEXEC"),
    ("epoll_ctl 5 1 3 0", "5, EPOLL, 3"),
    ("fcntl 3 0 10 0", "3, F_DUPFD"),
    ("fcntl 3 1030 10 0", "3, F_DUPFD_CLOEXEC"),
    ("fcntl 3 2 1 0", "3, F_SETFD FD_CLOEXEC"),
    ("fcntl 3 2 0 0", "3, F_SETFD"),
    ("fork 17 0 0 0", ""),
    ("fork 1041 0 0 0", "CLONE_FILES"),
    ("fork 2065 0 0 0", ""),
    (f"getsockopt 3 1 4 {ABOVE | 111}", "3, SO_ERROR, [ECONNREFUSED]"),
    ("getsockopt 3 1 4 0", "3, SO_ERROR, [0]"),
    ("getsockopt 3 1 3 111", "3"),
    ("getsockopt 3 6 4 111", "3"),
    ("pipe 1 0 0 25769803781", "[5, 6]"),
    ("pipe2 1 0 0 25769803781", "[5, 6]"),
    ("poll 1 2 3 25769803781", "[{fd=5"),
    ("ppoll 1 2 3 25769803781", "[{fd=5"),
    ("pselect6 9 1 0 9223372036854775849", "[0 3 5 63]"),
    ("select 9 1 0 41", "[0 3 5]"),
    ("read 3 1 8 0", "3"),
    ("read 3 1 0 0", '3, "", 0'),
    ("recvfrom 3 1 8 0", "3"),
    ("recvfrom 3 1 0 0", '3, "", 0'),
    ("sendmmsg 3 1 1 0", "3"),
    ("sendmmsg 3 1 1 9", "3, msg_name={"),
    ("sendmsg 3 1 1 0", "3"),
    ("sendmsg 3 1 1 9", "3, msg_name={"),
    ("sendto 3 1 1 0", "3"),
    ("sendto 3 1 1 9", "3, sa_family="),
    ("shutdown 3 1 0 0", "3, 1"),
    ("socket 2 1 0 0", "AF_INET, SOCK_STREAM, 0"),
    (f"socket 10 {CLOSES_AT_EXEC | 2} 17 0", "AF_INET6, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_UDP"),
    ("socket 1 2053 6 0", "AF_UNIX, SOCK_SEQPACKET, IPPROTO_TCP"),
    ("socket 2 3 0 0", "AF_INET, SOCK_RAW, 0"),
    ("socket 2 4 0 0", "AF_INET, SOCK_RDM, 0"),
    ("socket 2 16 0 0", "AF_INET, SOCK_RAW, 0"),
    ("socket 2 18 0 0", "AF_INET, SOCK_DGRAM, 0"),
    ("socket 2 1 262 0", "AF_INET, SOCK_STREAM, IPPROTO_MPTCP"),
    ("socket 99999 3 132 0", "AF_OTHER, SOCK_RAW, 132"),
    ("socket 2 12 1 0", "AF_INET, SOCK_RAW, 1"),
    ("socketpair 1 1 0 25769803781", "AF_UNIX, SOCK_STREAM, 0, [5, 6]"),
    ("bind 3 1 16 0", "3"),
]
"""a call by its name with its three arguments and what it points to -> the arguments as strace shows them"""

RESULTS = [(7, 7, ""), (0, 0, ""), (-1, -1, "EPERM"), (-111, -1, "ECONNREFUSED"), (-512, -1, "ERESTARTSYS"),
           (-513, -1, "ERESTARTSYS"), (-511, -1, ""), (-4095, -1, "ERESTARTSYS"), (-4096, -4096, "")]  # fmt: skip


@pytest.mark.parametrize(("told", "shown"), SHOWN)
def test_arguments_are_shown_as_strace_does(told: str, shown: str) -> None:
    """Of each call, the arguments that matter have strace's words, and bits that the kernel ignores do not count."""
    name, rest = told.split(" ", 1)
    (call,) = bpf.system_calls([f"5 77 {bpf._NUMBER.get(name, name)} {rest} 4\n"])
    assert (call.process, call.name, call.arguments.strip(), call.result) == ("77", name, shown.strip(), 4)


@pytest.mark.parametrize(("told", "result", "error"), RESULTS)
def test_results_are_those_of_the_program(told: int, result: int, error: str) -> None:
    """A negative number of the kernel's is -1 and an error; those that restart a call have a name of their own."""
    (call,) = bpf.system_calls([f"5 77 listen 3 1 0 0 {told}\n"])
    assert (call.result, call.error, call.line) == (result, error, 1)


def test_lines_wait_for_those_that_are_late() -> None:
    """Lines are sorted by their time, and each goes on as soon as one is told that is 0.3 seconds younger."""
    told = [
        f"{time} 7 listen {number} 0 0 0 0" for number, time in enumerate((20, 10, 300_000_010, 300_000_015, 300_000_021), 1)
    ]
    given = []

    def lines() -> object:
        for line in told:
            given.append(line)
            yield line

    seen = [(call.arguments, len(given)) for call in bpf.system_calls(lines())]  # type: ignore[arg-type]
    assert seen == [("2", 4), ("1", 5), ("3", 5), ("4", 5), ("5", 5)]


def test_lines_that_tell_no_call_are_passed_over() -> None:
    """Neither a thread's end, nor the line that says that all is ready, nor a message of bpftrace is a call."""
    assert list(bpf.system_calls(["0 7 ready 0 0 0 0 0", "9 7 exit 0 0 0 0 0", "Lost 3 events", ""])) == []


POINTERS = {
    "accept4": "descriptor address length FLAGS", CONNECTS: "descriptor *address length",
    "getsockopt": "descriptor level option *value length", "pipe": "*ends", "pipe2": "*ends flags", "poll": "*entries count",
    "ppoll": "*entries count", "pselect6": "count *readable writable", "select": "count *readable writable",
    "sendmmsg": "descriptor *messages count", "sendmsg": "descriptor *message flags",
    "sendto": "descriptor data size flags *address length", "socketpair": "family kind protocol *ends",
}  # fmt: skip
"""call -> its arguments; what the script has to read is marked"""

CARRY_DATA = {
    "read", "readv", "recvfrom", "recvmmsg", "recvmsg", "sendfile", "sendmmsg", "sendmsg", "sendto", "setsockopt", "write",
    "writev",
}  # fmt: skip


@pytest.mark.skipif(not bpf._NUMBER, reason="the numbers of this machine's system calls are not known")
def test_script_knows_how_each_call_is_told() -> None:
    """The script gets the number of each call, whether it carries data or is only remembered, and which argument it reads."""
    begin, _, rest = bpf.script().partition("\n")
    assert rest == bpf.SCRIPT.read_text(encoding="utf-8")
    found = dict(re.findall(r"(@(?:kind|at)\[\d+\]) = (\d+);", begin))
    expected = {}
    for name, number in bpf._NUMBER.items():
        words = POINTERS.get(name, "").split()
        pointers = [place for place, word in enumerate(words, 1) if word.startswith("*")]
        expected[f"@at[{number}]"] = "6" if "FLAGS" in words else str(*pointers or (0,))
        is_polled, is_begun = name in ("poll", "ppoll"), name in ("clone", "clone3")
        expected[f"@kind[{number}]"] = "2" if name in CARRY_DATA else "3" if is_polled else "4" if is_begun else "1"
    assert found == expected
    assert begin.startswith("BEGIN { if ($2) { @on[$2] = 1; } @kind[")
    assert begin.endswith("; }")


TOLD = """#!{python}
import os, signal, sys

def end():
    print(f"9000000 77 {{numbers['listen']}} 3 5 0 0 0", flush=True)
    sys.exit()

numbers = {numbers}
if os.getsid(0) == os.getsid(os.getppid()):
    sys.exit("ERROR: an interrupt from the terminal ends it before it has told all")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # so that it is not lost before the wait
print("0 77 ready 0 0 0 0 0")
print(f"1000000 77 {{numbers['socket']}} 2 1 6 0 3")
print(f"2000000 78 exit 0 0 0 0 0", flush=True)
if {is_interrupted}:
    for _ in range(10):  # where SIGINT is ignored, one is lost that comes before the handler is there
        os.kill(os.getppid(), signal.SIGINT)
        if signal.sigtimedwait([signal.SIGINT], 3):
            end()
print("3000000 77 exit 0 0 0 0 0", flush=True)
signal.sigwait([signal.SIGINT])
end()
"""
"""a program in place of bpftrace, which needs rights: it tells a socket, and when it is interrupted that it listens"""


@pytest.fixture
def tracer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a program in the place of bpftrace."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(bpf, "_EVENTS", tmp_path)

    def put(source: str) -> Path:
        path = tmp_path / "bpftrace"
        path.write_text(source, encoding="utf-8")
        path.chmod(0o755)
        return path

    return put


def told(*, is_interrupted: bool) -> str:
    """The program that tells calls."""
    return TOLD.format(python=sys.executable, numbers=bpf._NUMBER, is_interrupted=is_interrupted)


def test_program_runs_when_it_is_watched(tracer: Callable[[str], Path]) -> None:
    """A program begins when bpftrace is ready; the trace ends with it, what is told last counts, and its exit code is kept."""
    tracer(told(is_interrupted=False))
    code, walk = bpf.trace_program([sys.executable, "-c", "raise SystemExit(5)"])
    assert (code, [each.call.name for each in walk.violations], walk.sockets) == (5, ["listen"], 1)
    assert bpf.trace_program(["/bin/sh", "-c", "kill -KILL $$"])[0] == 128 + signal.SIGKILL


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_process_is_watched_until_it_ends_or_the_user_ends_it(tracer: Callable[[str], Path], is_interrupted: bool) -> None:
    """A trace of a running process ends with it, or by an interrupt; no call that was reported before is lost by that."""
    before = signal.getsignal(signal.SIGINT)
    tracer(told(is_interrupted=is_interrupted).replace("77", str(os.getpid())))
    code, walk = bpf.trace_process(os.getpid())
    assert (code, [each.call.name for each in walk.violations], walk.sockets) == (0, ["listen"], 1)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("says", "words"),
    [("echo 'ERROR: no rights' >&2; echo other >&2", "it needs root.: ERROR: no rights"), ("exit 1", "it says nothing")],
)
def test_tracer_that_ends_at_once_is_missing(tracer: Callable[[str], Path], says: str, words: str) -> None:
    """Where bpftrace ends before it is ready, the program is not run, and the error has its last word."""
    path = tracer(f"#!/bin/sh\n{says}\n")
    with pytest.raises(TracerMissing, match=words):
        bpf.trace_program(["/bin/sh", "-c", f"rm {path}"])
    assert path.exists()


def test_command_of_bpftrace(tracer: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command has the script, the marker, the process and the numbers; without the kernel's events it mounts them first."""
    path = tracer("#!/bin/sh\n")
    numbers = [bpf._NUMBER.get(name, "0") for name in ("close", "clone", "clone3")]
    command = [str(path), "-q", "-B", "line", "-d", "-e", bpf.script(), str(bpf.MARKER), "7", *numbers]
    assert bpf.bpftrace_command(7, "-d") == command
    monkeypatch.setattr(bpf, "_EVENTS", path / "missing")
    mounted = bpf.bpftrace_command(7, "-d")
    assert mounted[-len(command) :] == command
    assert [Path(mounted[0]).name, *mounted[1:4]] == ["unshare", "-m", "sh", "-c"]
    assert bpf.bpftrace_command()[-4] == "0"


@pytest.mark.parametrize(("missing", "words"), [("_NUMBER", "system calls of"), ("PATH", "bpftrace is not installed")])
def test_what_bpftrace_needs_is_named(monkeypatch: pytest.MonkeyPatch, missing: str, words: str) -> None:
    """Without bpftrace, and on a machine whose numbers are not known, the error says so."""
    if missing == "PATH":
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.setattr(bpf, missing, {})
        monkeypatch.setattr(bpf.shutil, "which", lambda name: name)
    with pytest.raises(TracerMissing, match=words):
        bpf.bpftrace_command()
