"""Walks a trace through the tables: the descriptors of its processes, and the violations by calls on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.observed import DATAGRAM, STREAM, ObservedState
from lifecycle.checking.traces.descriptors import Description, Descriptors, Step, new_socket
from lifecycle.checking.traces.judging import advance, row_of
from lifecycle.checking.traces.lines import SystemCall, system_calls
from lifecycle.roles.facts import LINKED, PEER
from lifecycle.roles.python.system_calls import ACCEPTING, OF_ANY_DESCRIPTOR, SYSTEM_CALLS

FORKS = frozenset({"clone", "clone3", "fork", "vfork"})
OPENERS = frozenset({
    "creat", "epoll_create", "epoll_create1", "eventfd", "eventfd2", "inotify_init1", "memfd_create", "open", "openat",
    "openat2", "pidfd_open", "signalfd4", "timerfd_create",
})  # fmt: skip
WAITS = frozenset({"epoll_ctl", "poll", "ppoll", "pselect6", "select"})
OTHERS = frozenset({
    "close", "close_range", "dup", "dup2", "dup3", "execve", "fcntl", "io_uring_setup", "pipe", "pipe2", "socket", "socketpair",
    "unshare",
})  # fmt: skip
WANTED = frozenset({*SYSTEM_CALLS, *FORKS, *OPENERS, *WAITS, *OTHERS})
"""the system calls that are read; no others are about sockets"""

BAD_DESCRIPTOR = "EBADF"
_PAIR = re.compile(r"\[(\d+), (\d+)\]$")
_POLLED = re.compile(r"\{fd=(\d+)")
_SELECTED = re.compile(r"\[([\d ]+)\]")
_CONTROLLED = re.compile(r"\d+, \w+, (\d+)")
_RANGE = re.compile(r"(\d+), (\d+)")
_PASSED = re.compile(r"SCM_RIGHTS, cmsg_data=\[([\d, ]+)\]")


@dataclass(frozen=True, slots=True)
class Violation:
    """A call that the tables forbid. state: in which the socket was. answer: what the system answered."""

    kind: FindingKind
    state: ObservedState
    row: str
    call: SystemCall
    answer: str
    family: str
    made: int
    history: tuple[Step, ...]


@dataclass(slots=True)
class Walk:
    """One trace. programs: how many were begun. sockets: how many were made. unseen: what was not followed -> how often."""

    violations: list[Violation] = field(default_factory=list)
    programs: int = 0
    sockets: int = 0
    calls: int = 0
    unseen: dict[str, int] = field(default_factory=dict)
    tables: dict[str, Descriptors] = field(default_factory=dict)
    forking: dict[str, str] = field(default_factory=dict)

    def read(self, lines: Iterable[str]) -> Walk:
        """Walk a complete trace by strace."""
        return self.follow(system_calls(lines, WANTED))

    def follow(self, calls: Iterable[SystemCall]) -> Walk:
        """Walk these calls."""
        for call in calls:
            self.step(call)
        return self

    def step(self, call: SystemCall) -> None:
        """One call of the trace."""
        table = self._table(call.process)
        if call.unfinished:
            if call.name in FORKS:
                self.forking[call.process] = call.arguments
            return
        handler = _HANDLERS.get(call.name)
        if handler is not None:
            handler(self, table, call)
        else:
            self._call(table, call)

    # -- processes ------------------------------------------------------------------------------------------------------------

    def _table(self, process: str) -> Descriptors:
        table = self.tables.get(process)
        if table is None:
            table = self.tables[process] = self._first_seen(process)
        return table

    def _first_seen(self, process: str) -> Descriptors:
        """A process whose parent's clone() has not ended yet, the first one, or one from nowhere."""
        if self.forking:
            parent, arguments = next(reversed(self.forking.items()))
            return self._forked(self.tables[parent], arguments)
        if not self.tables:
            return Descriptors()
        self._not_seen("processes that another one began unseen")
        return Descriptors(is_blind=True)

    def _forked(self, parent: Descriptors, arguments: str) -> Descriptors:
        return parent if "CLONE_FILES" in arguments else parent.copy()

    def _fork(self, table: Descriptors, call: SystemCall) -> None:
        self.forking.pop(call.process, None)
        if call.result and call.result > 0 and str(call.result) not in self.tables:
            self.tables[str(call.result)] = self._forked(table, call.arguments)

    def _execve(self, table: Descriptors, call: SystemCall) -> None:
        if call.result == 0:
            self.programs += 1
            if any(other is table for process, other in self.tables.items() if process != call.process):
                table = self.tables[call.process] = table.copy()
            table.exec(call.line)

    def _unshare(self, table: Descriptors, call: SystemCall) -> None:
        if call.result == 0 and call.has("CLONE_FILES"):
            self.tables[call.process] = table.copy()

    def _io_uring(self, table: Descriptors, call: SystemCall) -> None:
        if _succeeded(call):
            table.is_blind = True
            self._not_seen("processes with io_uring, whose calls no trace shows")

    def _not_seen(self, what: str) -> None:
        self.unseen[what] = self.unseen.get(what, 0) + 1

    # -- descriptors ----------------------------------------------------------------------------------------------------------

    def _socket(self, table: Descriptors, call: SystemCall) -> None:
        if _succeeded(call):
            family, kind, protocol = (*call.arguments.split(", "), "0", "0")[:3]
            self._made(table, int(call.result or 0), new_socket(family, kind, protocol, call.line), call)

    def _made(self, table: Descriptors, number: int, socket: Description, call: SystemCall) -> None:
        self.sockets += 1
        socket.note(call.name, "ok", call.line)
        table.give(number, socket, closes_at_exec=call.has("SOCK_CLOEXEC"), line=call.line)

    def _socketpair(self, table: Descriptors, call: SystemCall) -> None:
        pair = _PAIR.search(call.arguments)
        if call.result == 0 and pair is not None:
            family, kind = call.arguments.split(", ")[:2]
            for number in pair.groups():
                socket = new_socket(family, kind, "0", call.line)
                socket.state = _linked(socket.state)
                self._made(table, int(number), socket, call)

    def _dup(self, table: Descriptors, call: SystemCall) -> None:
        if not _succeeded(call) or (call.name == "dup2" and call.result == call.descriptor):
            return
        number = int(call.result or 0)
        socket = table.named.get(call.descriptor if call.descriptor is not None else -1)
        if socket is None:
            table.reuse(number, call.line)
        else:
            table.give(number, socket, closes_at_exec=call.has("CLOEXEC"), line=call.line)

    def _fcntl(self, table: Descriptors, call: SystemCall) -> None:
        if call.has("F_DUPFD"):
            self._dup(table, call)
        elif call.has("F_SETFD") and call.descriptor in table.named:
            change = table.closing_at_exec.add if call.has("FD_CLOEXEC") else table.closing_at_exec.discard
            change(call.descriptor)

    def _close(self, table: Descriptors, call: SystemCall) -> None:
        number = call.descriptor
        if number is None:
            return
        if call.result == 0 or call.error in ("EINTR", "EIO"):
            if number in table.named:
                table.drop(number, call.line)
            else:
                table.closed.pop(number, None)
        else:
            self._use_of_closed(table, number, call, "close")

    def _close_range(self, table: Descriptors, call: SystemCall) -> None:
        limits = _RANGE.match(call.arguments)
        if limits is not None and call.result == 0 and not call.has("CLOEXEC"):
            for number in table.between(int(limits[1]), int(limits[2])):
                table.drop(number, call.line)

    def _open(self, table: Descriptors, call: SystemCall) -> None:
        if _succeeded(call):
            table.reuse(int(call.result or 0), call.line)

    def _pipe(self, table: Descriptors, call: SystemCall) -> None:
        for number in re.findall(r"\d+", call.arguments.partition("]")[0]):
            table.reuse(int(number), call.line)

    def _wait(self, table: Descriptors, call: SystemCall) -> None:
        """A call that waits for a descriptor learns from it: a connect that is under way may have ended.

        To wait for a closed one is a mistake; to take it out of epoll is a habit of programs that close first.
        """
        for number in _awaited(call):
            socket = table.named.get(number)
            if socket is not None:
                socket.state = socket.state.after("fileno", "ok")
            elif call.name != "epoll_ctl" or call.has("EPOLL_CTL_ADD"):
                self._use_of_closed(table, number, call, "close")

    # -- calls on sockets -----------------------------------------------------------------------------------------------------

    def _call(self, table: Descriptors, call: SystemCall) -> None:
        number = call.descriptor
        if number is None:
            return
        socket = table.named.get(number)
        if socket is None:
            self._call_of_unknown(table, number, call)
            return
        if table.is_blind:
            return
        self.calls += 1
        state = socket.state
        kind = advance(socket, call)
        if kind is not None:
            self._report(kind, socket, state, call, row_of(call))
        if call.name in ACCEPTING and _succeeded(call):
            accepted = Description(socket.family, _linked(STREAM.initial), call.line)
            self._made(table, int(call.result or 0), accepted, call)
        for passed in _PASSED.findall(call.arguments) if _succeeded(call) and row_of(call).startswith("recv") else ():
            for each in passed.split(", "):
                table.reuse(int(each), call.line)
                self._not_seen("descriptors that another process passed")

    def _call_of_unknown(self, table: Descriptors, number: int, call: SystemCall) -> None:
        if (
            not self._use_of_closed(table, number, call, row_of(call))
            and call.name not in OF_ANY_DESCRIPTOR
            and call.error not in ("ENOTSOCK", BAD_DESCRIPTOR)
        ):
            self._not_seen("calls on sockets of unknown origin")

    def _use_of_closed(self, table: Descriptors, number: int, call: SystemCall, row: str) -> bool:
        """Report a call that was refused for the descriptor of a closed socket; whether it was."""
        if call.error != BAD_DESCRIPTOR or number not in table.closed or table.is_blind:
            return False
        socket = table.closed[number]
        self._report(FindingKind.ORDER, socket, socket.state.after("close", "ok"), call, row)
        return True

    def _report(self, kind: FindingKind, socket: Description, state: ObservedState, call: SystemCall, row: str) -> None:
        """Report it once for each socket, state and call."""
        if (state.name, call.name) in socket.reported:
            return
        socket.reported.add((state.name, call.name))
        answer = call.error or "ok"
        history = tuple(socket.history)
        call = call._replace(arguments="")  # they may contain data that the program sends
        self.violations.append(Violation(kind, state, row, call, answer, socket.family, socket.made, history))


def _succeeded(call: SystemCall) -> bool:
    return call.result is not None and call.result >= 0


def _linked(state: ObservedState) -> ObservedState:
    """The state of a socket of the same role that has a peer from the beginning."""
    if state.role is STREAM.initial.role:
        return STREAM.at(LINKED)
    return DATAGRAM.at(PEER) if state.role is DATAGRAM.initial.role else state


def _awaited(call: SystemCall) -> Iterator[int]:
    if call.name == "epoll_ctl":
        found = _CONTROLLED.match(call.arguments)
        yield from (int(found[1]),) if found else ()
    elif call.name in ("poll", "ppoll"):
        yield from map(int, _POLLED.findall(call.arguments))
    else:
        for group in _SELECTED.findall(call.arguments):
            yield from map(int, group.split())


_HANDLERS: Mapping[str, Callable[[Walk, Descriptors, SystemCall], None]] = {
    **dict.fromkeys(FORKS, Walk._fork),
    **dict.fromkeys(OPENERS, Walk._open),
    **dict.fromkeys(WAITS, Walk._wait),
    **dict.fromkeys(("dup", "dup2", "dup3"), Walk._dup),
    **dict.fromkeys(("pipe", "pipe2"), Walk._pipe),
    "close": Walk._close,
    "close_range": Walk._close_range,
    "execve": Walk._execve,
    "fcntl": Walk._fcntl,
    "io_uring_setup": Walk._io_uring,
    "socket": Walk._socket,
    "socketpair": Walk._socketpair,
    "unshare": Walk._unshare,
}
