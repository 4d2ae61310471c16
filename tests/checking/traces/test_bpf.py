"""What the script of bpftrace tells of each call, as strace would show it."""

from __future__ import annotations

import sys

import pytest

from lifecycle.checking.traces import bpf

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
