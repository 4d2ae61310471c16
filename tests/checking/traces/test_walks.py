"""What is read of whole traces: the descriptors of processes, what each call does to them, and every problem in its words."""

from __future__ import annotations

import sys

import pytest
from checking.golden import golden

from lifecycle.checking.formats.writers import as_text
from lifecycle.checking.traces.problems import problem_of
from lifecycle.checking.traces.walk import Walk

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the traces are Linux's")

STREAM = "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)"
DATAGRAM = "socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)"
NOT_CONNECTED = "-1 ENOTCONN (Transport endpoint is not connected)"
BAD = "-1 EBADF (Bad file descriptor)"
ADDRESS = '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16'

WALKS = {
    "a child has a table of its own": f"""
        1 {STREAM} = 3
        1 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 2
        2 close(3) = 0
        1 sendto(3, "x", 1, 0, NULL, 0) = {NOT_CONNECTED}
        2 sendto(3, "x", 1, 0, NULL, 0) = {BAD}
        2 close(3) = {BAD}""",
    "a thread shares the table": f"""
        1 {STREAM} = 3
        1 clone3({{flags=CLONE_VM|CLONE_FILES|CLONE_THREAD}}, 88) = 2
        2 close(3) = 0
        1 sendto(3, "x", 1, 0, NULL, 0) = {BAD}""",
    "a child is seen before its clone() has ended": f"""
        1 {STREAM} = 3
        1 clone(flags=CLONE_FILES <unfinished ...>
        2 close(3) = 0
        1 <... clone resumed>) = 2
        1 listen(3, 5) = {BAD}
        1 fork() = 4
        4 {STREAM} = 3""",
    "a child that is not there": f"""
        1 {STREAM} = 3
        1 fork() = -1 EAGAIN (Resource temporarily unavailable)
        1 vfork() = ?
        2 close(3) = 0
        1 clone(flags=SIGCHLD) = 2
        2 listen(3, 5) = 0
        1 listen(3, 5) = 0""",
    "another program": f"""
        1 execve("/bin/a", ["a"], 0x1 /* 9 vars */) = 0
        1 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 3
        1 {STREAM} = 4
        1 execve("/bin/b", ["b"], 0x1 /* 9 vars */) = -1 ENOENT (No such file or directory)
        1 listen(3, 5) = 0
        1 execve("/bin/c", ["c"], 0x1 /* 9 vars */) = 0
        1 listen(3, 5) = {BAD}
        1 listen(4, 5) = 0
        1 close(3) = {BAD}""",
    "a thread runs another program": f"""
        1 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 3
        1 clone(flags=CLONE_FILES) = 2
        2 execve("/bin/b", ["b"], 0x1 /* 9 vars */) = 0
        2 listen(3, 5) = {BAD}
        1 listen(3, 5) = 0""",
    "a table that is not shared any more": f"""
        1 {STREAM} = 3
        1 clone(flags=CLONE_FILES) = 2
        2 unshare(CLONE_NEWNET) = 0
        2 unshare(CLONE_FILES) = -1 EPERM (Operation not permitted)
        2 {STREAM} = 4
        1 listen(4, 5) = 0
        2 unshare(CLONE_FILES) = 0
        2 close(3) = 0
        1 bind(3, {ADDRESS}) = 0
        2 bind(3, {ADDRESS}) = {BAD}
        1 listen(3, 5) = 0""",
    "a process from nowhere": f"""
        1 {STREAM} = 3
        7 {STREAM} = 3
        7 listen(3, 5) = 0
        7 close(3) = 0
        7 close(3) = {BAD}
        8 listen(5, 5) = 0
        1 listen(3, 5) = 0""",
    "io_uring": f"""
        1 io_uring_setup(8, 0x1) = -1 ENOSYS (Function not implemented)
        1 {STREAM} = 0
        1 listen(0, 5) = 0
        1 close(0) = 0
        1 io_uring_setup(8, 0x1) = 0
        1 close(0) = {BAD}
        1 listen(0, 5) = {BAD}
        1 {STREAM} = 3
        1 accept(3, NULL, NULL) = -1 EINVAL (Invalid argument)""",
    "kinds of sockets": """
        1 socket(AF_INET, SOCK_STREAM, 0) = 3
        1 socket(AF_INET6, SOCK_DGRAM|SOCK_NONBLOCK, IPPROTO_IP) = 4
        1 socket(AF_UNIX, SOCK_STREAM, 0) = 5
        1 socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP) = 6
        1 socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) = 7
        1 socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 8
        1 socket(AF_LOCAL, SOCK_SEQPACKET, 0) = 9
        1 socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP) = -1 EPROTONOSUPPORT (Protocol not supported)
        1 accept(3, NULL, NULL) = -1 EINVAL (Invalid argument)
        1 accept(4, NULL, NULL) = -1 EOPNOTSUPP (Operation not supported)
        1 accept(5, NULL, NULL) = -1 EINVAL (Invalid argument)
        1 accept(6, NULL, NULL) = -1 EINVAL (Invalid argument)
        1 accept(7, NULL, NULL) = -1 EOPNOTSUPP (Operation not supported)
        1 accept(8, NULL, NULL) = -1 EOPNOTSUPP (Operation not supported)
        1 accept(9, NULL, NULL) = -1 EINVAL (Invalid argument)
        1 listen(3, 5) = 0
        1 listen(5, 5) = 0
        1 socket() = 11""",
    "pairs": f"""
        1 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0
        1 socketpair(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC, 0, [5, 6]) = 0
        1 socketpair(AF_UNIX, SOCK_SEQPACKET, 0, [7, 8]) = 0
        1 socketpair(AF_UNIX, SOCK_STREAM, 0, 0x1) = -1 EMFILE (Too many open files)
        1 connect(3, {ADDRESS}) = -1 EISCONN (Transport endpoint is already connected)
        1 accept(4, NULL, NULL) = -1 EINVAL (Invalid argument)
        1 sendto(6, "x", 1, 0, NULL, 0) = 1
        1 shutdown(5, SHUT_WR) = 0
        1 sendto(5, "x", 1, 0, NULL, 0) = -1 EPIPE (Broken pipe)
        1 execve("/bin/b", ["b"], 0x1 /* 9 vars */) = 0
        1 sendto(6, "x", 1, 0, NULL, 0) = {BAD}
        1 sendto(4, "x", 1, 0, NULL, 0) = 1""",
    "two numbers of one socket": f"""
        1 {STREAM} = 3
        1 dup(3) = 4
        1 close(3) = 0
        1 bind(4, {ADDRESS}) = 0
        1 dup2(4, 4) = 4
        1 fcntl(4, F_DUPFD, 10) = 10
        1 close(4) = 0
        1 bind(10, {ADDRESS}) = -1 EINVAL (Invalid argument)
        1 close(10) = 0
        1 listen(10, 5) = {BAD}
        1 listen(10, 5) = {BAD}""",
    "a number that is given again": f"""
        1 {STREAM} = 3
        1 {STREAM} = 4
        1 dup2(3, 4) = 4
        1 close(3) = 0
        1 dup(3) = {BAD}
        1 dup(9) = 3
        1 close(3) = 0
        1 close(3) = {BAD}
        1 openat(AT_FDCWD, "x", O_RDONLY) = 4
        1 recvfrom(4, 0x1, 8, 0, NULL, NULL) = -1 ENOTSOCK (Socket operation on non-socket)
        1 close(4) = 0
        1 recvfrom(4, 0x1, 8, 0, NULL, NULL) = {BAD}
        1 dup2(1, 0) = 0
        1 {DATAGRAM} = 0
        1 listen(0, 5) = -1 EOPNOTSUPP (Operation not supported)""",
    "numbers that end at exec": f"""
        1 {STREAM} = 3
        1 dup3(3, 4, O_CLOEXEC) = 4
        1 fcntl(3, F_DUPFD_CLOEXEC, 0) = 5
        1 dup2(3, 6) = 6
        1 fcntl(6, F_SETFD, FD_CLOEXEC) = 0
        1 fcntl(5, F_SETFD, 0) = 0
        1 fcntl(9, F_SETFD, FD_CLOEXEC) = 0
        1 fcntl(3, F_GETFL) = 2
        1 accept4(3, NULL, NULL, SOCK_CLOEXEC) = -1 EINVAL (Invalid argument)
        1 execve("/bin/b", ["b"], 0x1 /* 9 vars */) = 0
        1 listen(4, 5) = {BAD}
        1 listen(6, 5) = {BAD}
        1 listen(5, 5) = 0
        1 shutdown(3, SHUT_RD) = 0""",
    "a close that says an error has closed": f"""
        1 {STREAM} = 3
        1 {STREAM} = 4
        1 {STREAM} = 5
        1 close(3) = -1 EINTR (Interrupted system call)
        1 close(4) = -1 EIO (Input/output error)
        1 close(5) = -1 EDQUOT (Disk quota exceeded)
        1 listen(3, 5) = {BAD}
        1 close(4) = {BAD}
        1 listen(5, 5) = 0
        1 close(7) = {BAD}
        1 close(3) = 0
        1 listen(3, 5) = {BAD}
        1 close(0x) = 0""",
    "a range is closed": f"""
        1 {STREAM} = 3
        1 {STREAM} = 4
        1 {STREAM} = 5
        1 {STREAM} = 6
        1 close_range(4, 5, 0) = 0
        1 close_range(3, 6, CLOSE_RANGE_CLOEXEC) = 0
        1 close_range(3, 6, 0) = -1 EINVAL (Invalid argument)
        1 listen(3, 5) = 0
        1 listen(4, 5) = {BAD}
        1 listen(5, 5) = {BAD}
        1 listen(6, 5) = 0""",
    "files and pipes take numbers": f"""
        1 {STREAM} = 3
        1 close(3) = 0
        1 {STREAM} = 4
        1 close(4) = 0
        1 {STREAM} = 5
        1 close(5) = 0
        1 pipe2([3, 4], O_CLOEXEC) = 0
        1 eventfd2(0, 0) = -1 EMFILE (Too many open files)
        1 epoll_create1(0) = 5
        1 close(3) = {BAD}
        1 close(4) = {BAD}
        1 close(5) = {BAD}""",
    "a connect that goes on": f"""
        1 {STREAM} = 3
        1 connect(3, {ADDRESS}) = -1 EINPROGRESS (Operation now in progress)
        1 sendto(3, "x", 1, 0, NULL, 0) = -1 EAGAIN (Resource temporarily unavailable)
        1 connect(3, {ADDRESS}) = -1 EALREADY (Operation already in progress)
        1 poll([{{fd=3, events=POLLOUT}}], 1, 100) = 1 ([{{fd=3, revents=POLLOUT}}])
        1 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0
        1 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0
        1 connect(3, {ADDRESS}) = -1 EISCONN (Transport endpoint is already connected)""",
    "a connect that was refused": f"""
        1 {STREAM} = 3
        1 connect(3, {ADDRESS}) = -1 EINPROGRESS (Operation now in progress)
        1 select(4, NULL, [3], NULL, NULL) = 1 (out [3])
        1 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0
        1 connect(3, {ADDRESS}) = 0
        1 {STREAM} = 4
        1 connect(4, {ADDRESS}) = -1 ECONNREFUSED (Connection refused)
        1 sendto(4, "x", 1, 0, NULL, 0) = -1 EPIPE (Broken pipe)
        1 getsockopt(4, SOL_SOCKET, SO_ERROR, [EPIPE], [4]) = 0""",
    "who waits for a connect learns of it": f"""
        1 {STREAM} = 3
        1 {STREAM} = 4
        1 {STREAM} = 5
        1 {STREAM} = 6
        1 connect(3, {ADDRESS}) = -1 EINPROGRESS (Operation now in progress)
        1 connect(4, {ADDRESS}) = -1 EINPROGRESS (Operation now in progress)
        1 connect(5, {ADDRESS}) = -1 EAGAIN (Resource temporarily unavailable)
        1 connect(6, {ADDRESS}) = -1 EINPROGRESS (Operation now in progress)
        1 epoll_ctl(9, EPOLL_CTL_ADD, 3, {{events=EPOLLOUT}}) = 0
        1 ppoll([{{fd=9, events=POLLIN}}, {{fd=4, events=POLLOUT}}], 2, NULL, NULL, 0) = 1 ([{{fd=4, revents=POLLOUT}}])
        1 pselect6(6, [9], [4 5], NULL, NULL, NULL) = 1 (out [5])
        1 epoll_ctl(9) = 0
        1 getpeername(3, {ADDRESS}) = {NOT_CONNECTED}
        1 sendto(3, "x", 1, 0, NULL, 0) = 1
        1 sendto(4, "x", 1, 0, NULL, 0) = 1
        1 sendto(5, "x", 1, 0, NULL, 0) = 1
        1 sendto(6, "x", 1, 0, NULL, 0) = {NOT_CONNECTED}
        1 listen(3, 5) = -1 EINVAL (Invalid argument)
        1 listen(6, 5) = -1 EINVAL (Invalid argument)""",
    "the end is received": f"""
        1 {STREAM} = 3
        1 connect(3, {ADDRESS}) = 0
        1 recvfrom(3, "", 0, 0, NULL, NULL) = 0
        1 read(3, "", 0) = 0
        1 listen(3, 5) = -1 EINVAL (Invalid argument)
        1 read(3, "x", 8) = 1
        1 read(3, "", 8) = 0
        1 listen(3, 5) = -1 EINVAL (Invalid argument)
        1 {DATAGRAM} = 4
        1 bind(4, {ADDRESS}) = 0
        1 recvfrom(4, "", 8, 0, NULL, NULL) = 0
        1 recvmsg(4, {{msg_namelen=0}}, 0) = -1 EINTR (Interrupted system call)
        1 recvmsg(4, {{msg_namelen=0}}, 0) = -1 ERESTARTSYS (To be restarted if SA_RESTART is set)
        1 recvmsg(4, {{msg_namelen=0}}, 0) = ?
        1 listen(4, 5) = -1 EOPNOTSUPP (Operation not supported)""",
    "directions": f"""
        1 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0
        1 shutdown(3, SHUT_WR) = 0
        1 write(3, "x", 1) = -1 EPIPE (Broken pipe)
        1 shutdown(4, 0 /* SHUT_RD */) = 0
        1 write(4, "x", 1) = 1
        1 shutdown(4, 7) = 0
        1 write(4, "x", 1) = -1 EPIPE (Broken pipe)
        1 {STREAM} = 5
        1 shutdown(5, SHUT_RDWR) = {NOT_CONNECTED}
        1 {STREAM} = 6
        1 shutdown(6, SHUT_RD) = 0
        1 connect(6, {ADDRESS}) = 0
        1 shutdown(6, 2) = 0
        1 recvfrom(6, "", 8, 0, NULL, NULL) = 0""",
    "accepted": f"""
        1 {STREAM} = 3
        1 bind(3, {ADDRESS}) = 0
        1 listen(3, 5) = 0
        1 accept(3, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)
        1 accept(3, NULL, NULL) = 4
        1 accept4(3, NULL, NULL, SOCK_CLOEXEC) = 0
        1 connect(4, {ADDRESS}) = -1 EISCONN (Transport endpoint is already connected)
        1 bind(0, {ADDRESS}) = -1 EINVAL (Invalid argument)
        1 sendto(3, "x", 1, 0, NULL, 0) = {NOT_CONNECTED}
        1 sendto(3, "x", 1, 0, NULL, 0) = {NOT_CONNECTED}
        1 execve("/bin/b", ["b"], 0x1 /* 9 vars */) = 0
        1 sendto(0, "x", 1, 0, NULL, 0) = {BAD}
        1 sendto(4, "x", 1, 0, NULL, 0) = -1 ECONNRESET (Connection reset by peer)
        1 shutdown(4, SHUT_RDWR) = {NOT_CONNECTED}""",
    "passed": f"""
        1 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0
        1 {STREAM} = 5
        1 {STREAM} = 6
        1 {STREAM} = 7
        1 close(5) = 0
        1 close(6) = 0
        1 close(7) = 0
        1 recvmsg(4, {{msg_control=[{{cmsg_type=SCM_RIGHTS, cmsg_data=[5, 6]}}]}}, 0) = 1
        1 sendmsg(3, {{msg_control=[{{cmsg_type=SCM_RIGHTS, cmsg_data=[7]}}]}}, 0) = 1
        1 recvmsg(4, {{msg_control=[{{cmsg_type=SCM_RIGHTS, cmsg_data=[7]}}]}}, 0) = -1 EAGAIN (x)
        1 listen(5, 5) = {BAD}
        1 listen(6, 5) = {BAD}
        1 listen(7, 5) = {BAD}""",
    "sockets of which nothing is known": f"""
        1 {STREAM} = 3
        1 sendto(9, "x", 1, 0, NULL, 0) = 1
        1 listen(9, 5) = 0
        1 write(9, "x", 1) = 1
        1 sendto(9, "x", 1, 0, NULL, 0) = -1 ENOTSOCK (Socket operation on non-socket)
        1 listen(9, 5) = {BAD}
        1 sendto(-1, "x", 1, 0, NULL, 0) = {BAD}
        1 getpid() = 1
        1 recvfrom(3, 0x1, 8, 0, NULL, NULL) = -1 ENOBUFS (No buffer space available)
        1 recvfrom(3, 0x1, 8, 0, NULL, NULL) = -1 EUNHEARDOF (What)""",
    "a peer is taken away": f"""
        1 {DATAGRAM} = 3
        1 sendto(3, "x", 1, 0, NULL, 0) = -1 EDESTADDRREQ (Destination address required)
        1 sendto(3, "x", 1, 0, {ADDRESS}) = 1
        1 sendmsg(3, {{msg_name={{sa_family=AF_INET}}, msg_namelen=16}}, 0) = 1
        1 connect(3, {ADDRESS}) = 0
        1 sendto(3, "x", 1, 0, NULL, 0) = 1
        1 connect(3, {{sa_family=AF_UNSPEC, sa_data=""}}, 16) = 0
        1 sendto(3, "x", 1, 0, NULL, 0) = -1 EDESTADDRREQ (Destination address required)
        1 {STREAM} = 4
        1 connect(4, {ADDRESS}) = 0
        1 connect(4, {{sa_family=AF_UNSPEC, sa_data=""}}, 16) = 0
        1 getpeername(4, NULL, NULL) = {NOT_CONNECTED}
        1 sendto(4, "x", 1, 0, NULL, 0) = -1 EPIPE (Broken pipe)
        1 connect(4, {{sa_family=AF_UNSPEC, sa_data=""}}, 16) = -1 EINVAL (Invalid argument)
        1 socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) = 5
        1 connect(5, {{sa_family=AF_UNSPEC, sa_data=""}}, 16) = 0""",
    "what only Linux accepts": f"""
        1 {STREAM} = 3
        1 listen(3, 5) = 0
        1 listen(3, 5) = 0
        1 socket(AF_UNIX, SOCK_STREAM, 0) = 4
        1 bind(4, {{sa_family=AF_UNIX, sun_path="x"}}, 3) = 0
        1 listen(4, 5) = 0
        1 listen(4, 5) = 0
        1 {DATAGRAM} = 5
        1 recvfrom(5, 0x1, 8, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)
        1 {STREAM} = 6
        1 shutdown(3, SHUT_RD) = 0
        1 accept(3, NULL, NULL) = -1 EINVAL (Invalid argument)""",
    "a long history": f"""
        1 {STREAM} = 3
        1 connect(3, {ADDRESS}) = -1 ECONNREFUSED (Connection refused)
        1 connect(3, {ADDRESS}) = -1 EINPROGRESS (Operation now in progress)
        1 connect(3, {ADDRESS}) = -1 ECONNREFUSED (Connection refused)
        1 connect(3, {ADDRESS}) = -1 EINPROGRESS (Operation now in progress)
        1 connect(3, {ADDRESS}) = -1 ECONNREFUSED (Connection refused)
        1 connect(3, {ADDRESS}) = -1 ETIMEDOUT (Connection timed out)
        1 connect(3, {ADDRESS}) = 0
        1 shutdown(3, SHUT_RD) = 0
        1 shutdown(3, SHUT_WR) = 0
        1 write(3, "x", 1) = -1 EPIPE (Broken pipe)
        1 close(3) = 0
        1 write(3, "x", 1) = {BAD}""",
    "lines of other forms": """
        [pid    12] 10:20:30.123456 socket(AF_INET, SOCK_STREAM, 0) = 3
        [pid    12] 10:20:30.123457 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)
        [pid 12] 10:20:30 sendto(3<TCP:[1->2]>, ") = 1 <", 6, 0, NULL, 0 <unfinished ...>
        [pid 12] <... sendto resumed>) = -1 ENOTCONN (x)
        12 listen(3<socket:[5]>, 5) = ?
        12 <... listen resumed>) = 0
        12 listen(3,  <unfinished ...>
        12 <... listen resumed>5) = 0
        12 +++ exited with 0 +++
        --- SIGCHLD {si_signo=SIGCHLD} ---
        12 accept(3, NULL, NULL) = 4<TCP:[127.0.0.1:1->127.0.0.1:2]>
        12 connect(4, {sa_family=AF_INET}, 16) = -1 EISCONN (x) <0.000012>""",
    "stacks": """
        1 socket(AF_INET, SOCK_STREAM, 0) = 3
         > /usr/lib/libc.so.6(socket+0x7) [0x1]
         > /usr/bin/app(main+0x2) [0x2]
        1 accept(3, NULL, NULL) = -1 EINVAL (Invalid argument)
         > /usr/lib/x86_64-linux-gnu/libc-2.31.so(accept+0x7) [0x1]
         > /usr/lib/libmine.so.1(wait_for+0x1f) [0x3]
         > /usr/bin/app(main+0x2) [0x2]
        1 sendto(3, "x", 1, 0, NULL, 0) = -1 EPIPE (Broken pipe)
         > /usr/bin/app() [0x2]
        1 recvfrom(3, 0x1, 8, 0, NULL, NULL) = -1 ENOTCONN (x)
         > unexpected_backtracing_error [0x7f]
        1 getpeername(3, NULL, NULL) = -1 ENOTCONN (x)""",
}  # fmt: skip
"""name -> a trace by strace"""


@pytest.mark.parametrize("name", WALKS)
def test_walk_is_in_the_recorded_words(name: str) -> None:
    """What was followed, what was not, and each problem with its history, are as recorded for the trace."""
    lines = [line.removeprefix(" " * 8) for line in WALKS[name].splitlines()[1:]]
    walk = Walk().read(lines)
    found = [f"{walk.calls} calls on {walk.sockets} sockets in {walk.programs} programs"]
    found += [f"not followed, {count} times: {what}" for what, count in walk.unseen.items()]
    for number, line in enumerate(lines, 1):
        found.append(f"{number:4} {line}")
        at_line = [problem_of(each, "trace") for each in walk.violations if each.call.line == number]
        found += as_text(at_line).splitlines()
    text = "\n".join(found)
    assert text.splitlines() == golden("walks", name, text).splitlines()
