"""Runs a program, or attaches to one, under the bpftrace script beside this file, and walks the calls that it prints."""

from __future__ import annotations

import errno
import heapq
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lifecycle.checking.traces.lines import SystemCall
from lifecycle.checking.traces.strace import TracerMissing, existing_process, existing_program, exit_code, interrupted_by
from lifecycle.checking.traces.walk import Walk
from lifecycle.roles.python.system_calls import CONNECTS, OF_ANY_DESCRIPTOR

SCRIPT = Path(__file__).with_name("sockets.bt")
MARKER = 0x7C1FE000  # a descriptor that no process has: closing it begins the trace of a process
_EVENTS = Path("/sys/kernel/tracing/events")
_MOUNTS = 'mount -t tracefs nodev /sys/kernel/tracing && exec "$0" "$@"'  # in a name space of its own

_LAUNCHER = """\
import os, select, sys
go, marker = int(sys.argv[1]), int(sys.argv[2])
while not select.select([go], [], [], 0.02)[0]:
    try:
        os.close(marker)
    except OSError:
        pass
os.close(go)
try:
    os.execvp(sys.argv[3], sys.argv[3:])
except OSError as error:
    sys.exit(f"lifecycle: cannot run {sys.argv[3]}: {error.strerror}")
"""

_LATE = 300_000_000  # nanoseconds; the buffers of the processors are read in turn, so that lines arrive out of order
_WORD = 0xFFFFFFFF
_RESTARTED = 512  # the kernel's own errors, which no program sees, begin here
_CLOSES_AT_EXEC, _SHARES_FILES, _AT_EXEC = 0o2000000, 0x400, 4

_NUMBERS: Mapping[str, str] = {
    "x86_64": "read 0 write 1 open 2 close 3 poll 7 readv 19 writev 20 pipe 22 select 23 dup 32 dup2 33 sendfile 40 socket 41 "
    "connect 42 accept 43 sendto 44 recvfrom 45 sendmsg 46 recvmsg 47 shutdown 48 bind 49 listen 50 getsockname 51 "
    "getpeername 52 socketpair 53 setsockopt 54 getsockopt 55 clone 56 fcntl 72 creat 85 epoll_create 213 epoll_ctl 233 "
    "openat 257 pselect6 270 ppoll 271 unshare 272 timerfd_create 283 eventfd 284 accept4 288 signalfd4 289 eventfd2 290 "
    "epoll_create1 291 dup3 292 pipe2 293 inotify_init1 294 recvmmsg 299 sendmmsg 307 memfd_create 319 io_uring_setup 425 "
    "pidfd_open 434 clone3 435 close_range 436 openat2 437",
    "aarch64": "eventfd2 19 epoll_create1 20 epoll_ctl 21 dup 23 dup3 24 fcntl 25 inotify_init1 26 openat 56 close 57 pipe2 59 "
    "read 63 write 64 readv 65 writev 66 sendfile 71 pselect6 72 ppoll 73 signalfd4 74 timerfd_create 85 unshare 97 socket 198 "
    "socketpair 199 bind 200 listen 201 accept 202 connect 203 getsockname 204 getpeername 205 sendto 206 recvfrom 207 "
    "setsockopt 208 getsockopt 209 shutdown 210 sendmsg 211 recvmsg 212 clone 220 accept4 242 recvmmsg 243 sendmmsg 269 "
    "memfd_create 279 io_uring_setup 425 pidfd_open 434 clone3 435 close_range 436 openat2 437",
}
"""machine -> its system calls and their numbers"""

_WORDS = _NUMBERS.get(platform.machine(), "").split()
_NUMBER = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
_NAMES = {number: name for name, number in _NUMBER.items()} | {"exec": "execve"}

_DATA = frozenset({*OF_ANY_DESCRIPTOR, "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg", "setsockopt"})
_KIND = dict.fromkeys(_DATA, 2) | {"poll": 3, "ppoll": 3, "clone": 4, "clone3": 4}
_AT = {
    "accept4": 6, CONNECTS: 2, "getsockopt": 4, "pipe": 1, "pipe2": 1, "poll": 1, "ppoll": 1, "pselect6": 2, "select": 2,
    "sendmmsg": 2, "sendmsg": 2, "sendto": 5, "socketpair": 4,
}  # fmt: skip
"""call -> the number, from 1 on, of its argument that points to the relevant data"""

_FAMILIES = {int(value): name for name, value in vars(socket).items() if name.startswith("AF_") and name != "AF_SYSTEM"}
_KINDS = {1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 4: "SOCK_RDM", 5: "SOCK_SEQPACKET"}
_PROTOCOLS = {0: "0", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP", 262: "IPPROTO_MPTCP"}
_COMMANDS = {0: "F_DUPFD", 1030: "F_DUPFD_CLOEXEC", 2: "F_SETFD"}


def _kind(number: int) -> str:
    return _KINDS.get(number & 0xF, "SOCK_RAW") + ("|SOCK_CLOEXEC" if number & _CLOSES_AT_EXEC else "")


def _family(number: int) -> str:
    return _FAMILIES.get(number, "AF_OTHER")


def _two(number: int) -> str:
    return f"[{number & 0xFFFFFFFF}, {number >> 32 & 0xFFFFFFFF}]"


def _bits(number: int) -> str:
    return "[" + " ".join(str(each) for each in range(64) if number >> each & 1) + "]"


_ARGUMENTS: Mapping[str, Callable[[int, int, int, int], str]] = {
    "accept4": lambda a, b, c, x: f"{a}, {'SOCK_CLOEXEC' if c & _CLOSES_AT_EXEC else ''}",
    "close_range": lambda a, b, c, x: f"{a}, {b & _WORD}{', CLOEXEC' if c & _AT_EXEC else ''}",
    CONNECTS: lambda a, b, c, x: f"{a}, {'sa_family=' if x & 0xFFFF else 'AF_UNSPEC'}",
    "dup3": lambda a, b, c, x: f"{a}, {'O_CLOEXEC' if c & _CLOSES_AT_EXEC else ''}",
    "epoll_ctl": lambda a, b, c, x: f"{a}, EPOLL, {c}",
    "fcntl": lambda a, b, c, x: f"{a}, {_COMMANDS.get(b, '')}{' FD_CLOEXEC' if c & 1 else ''}",
    "fork": lambda a, b, c, x: "CLONE_FILES" if a & _SHARES_FILES else "",
    "getsockopt": lambda a, b, c, x: f"{a}, SO_ERROR, [{errno.errorcode.get(x & _WORD, '0')}]" if (b, c) == (1, 4) else str(a),
    "pipe": lambda a, b, c, x: _two(x),
    "pipe2": lambda a, b, c, x: _two(x),
    "poll": lambda a, b, c, x: f"[{{fd={x & _WORD}",
    "ppoll": lambda a, b, c, x: f"[{{fd={x & _WORD}",
    "pselect6": lambda a, b, c, x: _bits(x),
    "read": lambda a, b, c, x: str(a) if c else f'{a}, "", 0',
    "recvfrom": lambda a, b, c, x: str(a) if c else f'{a}, "", 0',
    "select": lambda a, b, c, x: _bits(x),
    "sendmmsg": lambda a, b, c, x: f"{a}, msg_name={{" if x else str(a),
    "sendmsg": lambda a, b, c, x: f"{a}, msg_name={{" if x else str(a),
    "sendto": lambda a, b, c, x: f"{a}, sa_family=" if x else str(a),
    "shutdown": lambda a, b, c, x: f"{a}, {b}",
    "socket": lambda a, b, c, x: f"{_family(a)}, {_kind(b)}, {_PROTOCOLS.get(c, str(c))}",
    "socketpair": lambda a, b, c, x: f"{_family(a)}, {_kind(b)}, 0, {_two(x)}",
}
"""how strace shows the relevant arguments"""


def system_calls(lines: Iterable[str]) -> Iterator[SystemCall]:
    """The calls that the script prints, in the order of their times."""
    waiting: list[tuple[int, int, str]] = []
    for number, line in enumerate(lines, 1):
        time, _, rest = line.strip().partition(" ")
        if time.isdigit() and time != "0" and " exit " not in rest:
            heapq.heappush(waiting, (int(time), number, rest))
            while waiting[0][0] < int(time) - _LATE:
                yield _call(*heapq.heappop(waiting)[1:])
    while waiting:
        yield _call(*heapq.heappop(waiting)[1:])


def _call(number: int, text: str) -> SystemCall:
    thread, name, *rest = text.split()
    name = _NAMES.get(name, name)
    a, b, c, x, result = map(int, rest)
    arguments = _ARGUMENTS[name](a, b, c, x) if name in _ARGUMENTS else str(a)
    failed = -4096 < result < 0
    error = ("ERESTARTSYS" if -result >= _RESTARTED else errno.errorcode.get(-result, "")) if failed else ""
    return SystemCall(thread, name, arguments, -1 if failed else result, error, number)


def script() -> str:
    """The script, with this machine's numbers; raises TracerMissing for a machine whose numbers are not known."""
    if not _NUMBER:
        raise TracerMissing(f"the numbers of the system calls of {platform.machine()} are not known")
    lines = (f"@kind[{n}] = {_KIND.get(name, 1)}; @at[{n}] = {_AT.get(name, 0)};" for name, n in _NUMBER.items())
    begin = "BEGIN { if ($2) { @on[$2] = 1; } " + " ".join(lines) + " }\n"
    return begin + SCRIPT.read_text(encoding="utf-8")


def bpftrace_command(process: int = 0, *options: str) -> list[str]:
    """The command of bpftrace; raises TracerMissing."""
    bpftrace, unshare = shutil.which("bpftrace"), shutil.which("unshare")
    if bpftrace is None:
        raise TracerMissing("bpftrace is not installed: it is a package of most Linux distributions")
    numbers = [str(MARKER), str(process), *(_NUMBER.get(name, "0") for name in ("close", "clone", "clone3"))]
    command = [bpftrace, "-q", "-B", "line", *options, "-e", script(), *numbers]
    if not _EVENTS.exists() and unshare is not None:
        return [unshare, "-m", "sh", "-c", _MOUNTS, *command]
    return command


def trace_program(program: Sequence[str]) -> tuple[int, Walk]:
    """Run a program with its children until it ends; its exit code, and its walk. Raises NothingTraced, TracerMissing."""
    existing_program(program[0])
    go, told = os.pipe()
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(go), str(MARKER), *program]
    with _started(bpftrace_command()) as bpftrace, subprocess.Popen(launcher, pass_fds=[go]) as running:
        os.close(go)
        try:
            root = _until_ready(bpftrace)
        except TracerMissing:
            running.kill()
            raise
        finally:
            os.close(told)  # the launcher runs the program
        walk = _followed(bpftrace, root)
        return exit_code(running.wait()), walk


def trace_process(process: int) -> tuple[int, Walk]:
    """Attach to a running process, until it ends or the trace is interrupted. Raises NothingTraced, TracerMissing."""
    existing_process(process)
    with _started(bpftrace_command(process)) as bpftrace:
        return 0, _followed(bpftrace, str(process))


def _started(command: Sequence[str]) -> subprocess.Popen[str]:
    environment = os.environ | {"BPFTRACE_MAP_KEYS_MAX": "65536", "BPFTRACE_PERF_RB_PAGES": "1024"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )


def _until_ready(bpftrace: subprocess.Popen[str]) -> str:
    """Wait until every probe is there; the thread that is followed. Raises TracerMissing where bpftrace ends before."""
    assert bpftrace.stdout is not None
    assert bpftrace.stderr is not None
    for line in bpftrace.stdout:
        if " ready " in line:
            return line.split()[1]
    words = [line.strip() for line in bpftrace.stderr if "ERROR" in line]
    raise TracerMissing(f"bpftrace cannot watch here (it needs root): {words[-1] if words else 'it says nothing'}")


def _followed(bpftrace: subprocess.Popen[str], root: str) -> Walk:
    """Walk the printed calls until the thread `root` has ended."""

    def end() -> None:
        bpftrace.send_signal(signal.SIGINT)  # it prints the rest, and ends

    def lines() -> Iterator[str]:
        assert bpftrace.stdout is not None
        for line in bpftrace.stdout:
            if line.split()[1:3] == [root, "exit"]:
                end()
            yield line

    with interrupted_by(end):
        return Walk().follow(system_calls(lines()))
