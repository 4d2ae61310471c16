"""The real CSocket and CAsyncSocket in each state: what each call answers, beside the column mfc of the platforms' tables."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from lifecycle.system.matrices import mfc, notifications

from .agent import Agent, NoAnswer
from .checks import Report

HERE, SECONDS = "127.0.0.1", 5.0
POSTED = 0.05  # seconds in which Wine's server has posted a notification; nothing shows that it has, but to read it
ASKED, TARGET, OTHER, LISTENER = 1, 2, 8, 9
"""The agent's sockets: the one that is asked, one to accept into, and two that listen."""

ERRORS = {
    10022: "WSAEINVAL", 10035: "WSAEWOULDBLOCK", 10037: "WSAEALREADY", 10038: "WSAENOTSOCK", 10045: "WSAEOPNOTSUPP",
    10053: "WSAECONNABORTED", 10054: "WSAECONNRESET", 10056: "WSAEISCONN", 10057: "WSAENOTCONN", 10058: "WSAESHUTDOWN",
}  # fmt: skip

COUNTS = ("send", "receive", "sendto", "receivefrom")

LEAKED = "notifications of the handle that Create() leaks: they come when they come"


@dataclass
class Bench:
    """One agent, and what its socket is connected to. kind: "s" is a CSocket, "a" a CAsyncSocket."""

    agent: Agent
    kind: str
    kept: ExitStack
    raw: list[socket.socket] = field(default_factory=list)
    made: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = self.kept.enter_context(socket.create_server((HERE, 0), backlog=50))
        self.listener.settimeout(SECONDS)
        self.datagrams = self.kept.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.refusing = self.kept.enter_context(socket.socket())  # bound, and not listening
        self.full = self.kept.enter_context(socket.create_server((HERE, 0), backlog=0))
        for bound in (self.datagrams, self.refusing):
            bound.bind((HERE, 0))
        self.agent.ask("pump 300")  # what was told to the sockets before
        for _ in range(3):
            filler = self.kept.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(self.full.getsockname())

    # -- states ----------------------------------------------------------------------------------------------------------------

    def ok(self, call: str, wanted: str = "1") -> None:
        """A call that makes the state, which must succeed."""
        self.agent.expect(wanted, f"call {call}")

    def new(self, number: int) -> None:
        """A socket of the agent without a handle."""
        self.agent.expect("ok", f"new {number} {self.kind}")
        self.made.append(number)

    def pump(self) -> str:
        """The notifications that have come."""
        return self.agent.ask("pump 25") if self.kind == "a" else ""

    def connected(self) -> None:
        """Connect the socket; the far end is `peer`."""
        self.ok("1 create")
        self.agent.ask(f"call 1 connect {HERE} {port(self.listener)}")
        self.peer = self.listener.accept()[0]
        self.raw.append(self.peer)
        self.pump()

    def listening(self, number: int = ASKED) -> int:
        """Have a socket of the agent listen: its port."""
        if number != ASKED:
            self.new(number)
        self.ok(f"{number} create 0 1 63 {HERE}")
        self.ok(f"{number} listen")
        return int(self.agent.ask(f"call {number} getsockname").split()[0].split(":")[-1])

    def listens(self) -> None:
        """The socket listens."""
        self.listening()

    def waits(self, number: int = ASKED) -> None:
        """Have a socket of the agent listen, with a connection in its queue."""
        self.peer = socket.create_connection((HERE, self.listening(number)), SECONDS)
        self.raw.append(self.peer)
        time.sleep(POSTED)

    def accepted(self) -> None:
        """The socket is the accepted one."""
        self.waits(LISTENER)
        self.ok("9 accept 1")

    def after(self, *calls: str, peer: Callable[[socket.socket], object] | None = None) -> Callable[[], None]:
        """Makes a connected socket with which something happened."""

        def make() -> None:
            self.connected()
            if peer is not None:
                peer(self.peer)
                time.sleep(POSTED)
            for call in calls:
                self.agent.ask(f"call {call}")

        return make

    def calls(self, *calls: str) -> Callable[[], None]:
        """Makes a state by calls alone."""

        def make() -> None:
            for call in calls:
                self.agent.ask(f"call {call}")

        return make

    def refused(self) -> None:
        """Nobody listens where the socket connects to."""
        self.calls("1 create", f"1 connect {HERE} {port(self.refusing)}")()
        self.pump()

    def reset(self) -> None:
        """The far end resets the connection, which is reported."""
        self.after(peer=reset)()
        self.pump()

    def states(self) -> dict[str, Callable[[], None]]:
        """How the socket comes into each state."""
        datagram = ("1 create 0 2 63 " + HERE, f"1 connect {HERE} {port(self.datagrams)}")
        return {
            "empty": self.calls(),
            "open": self.calls("1 socket"),
            "bound": self.calls("1 create"),
            "listening": self.listens,
            "listening, one waiting": self.waits,
            "connecting": self.calls("1 create", f"1 connect {HERE} {port(self.full)}"),
            "refused": self.refused,
            "connected": self.connected,
            "connected, data waits": self.after(peer=lambda peer: peer.sendall(b"abc")),
            "accepted": self.accepted,
            "shut sends": self.after("1 shutdown 1"),
            "shut receives": self.after("1 shutdown 0"),
            "shut both": self.after("1 shutdown 2"),
            "peer closed": self.after("1 receive 10", peer=lambda peer: peer.shutdown(socket.SHUT_WR)),
            "reset": self.reset,
            "closed": self.after("1 close"),
            "detached": self.after("1 detach"),
            "datagram open": self.calls("1 socket 2"),
            "datagram bound": self.calls(datagram[0]),
            "datagram connected": self.calls(*datagram),
            "datagram shut sends": self.calls(*datagram, "1 shutdown 1"),
            "datagram shut receives": self.calls(*datagram, "1 shutdown 0"),
            "datagram shut both": self.calls(*datagram, "1 shutdown 2"),
        }

    # -- calls -----------------------------------------------------------------------------------------------------------------

    def line(self, call: str) -> str:
        """What the agent is asked for a call of the table."""
        words = {
            "accept": "accept 2", "bind": "bind 0", "connect": f"connect {HERE} {port(self.listener)}", "send": "send 616263",
            "receive": "receive 10", "sendto": f"sendto 616263 {port(self.datagrams)} {HERE}", "receivefrom": "receivefrom 10",
            "shutdown(receives)": "shutdown 0", "shutdown(sends)": "shutdown 1", "shutdown(both)": "shutdown 2",
            "shutdown(3)": "shutdown 3", "getopt(SO_TYPE)": "getopt 4104", "setopt(SO_REUSEADDR)": "setopt 4 1",
            "ioctl(FIONREAD)": "fionread",
        }  # fmt: skip
        return f"call 1 {words.get(call, call)}"

    def answer(self, state: str, call: str) -> tuple[str, str]:
        """What a call answers in a state, in the words of the table, and the notifications during it and just after it."""
        self.new(ASKED)
        self.states()[state]()
        self.new(TARGET)
        line = self.line(call)
        if call == "CSocketFile":
            line = "file 1 1"
        elif call == "as accept's target":
            self.waits(OTHER)
            line = "call 8 accept 1"
        said = self.agent.ask(line)
        told = " ".join(re.findall(r"\[(.*?)\]", f"{said} {self.pump()}"))
        return in_words(call, said), told

    def clear(self) -> None:
        """Close what the state needed."""
        for number in self.made:
            self.agent.ask(f"call {number} close")
        self.made.clear()
        for each in self.raw:
            each.close()
        self.raw.clear()
        self.listener.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                self.listener.accept()[0].close()
        self.listener.settimeout(SECONDS)


def port(bound: socket.socket) -> int:
    """The port of a socket here."""
    found: int = bound.getsockname()[1]
    return found


def reset(peer: socket.socket) -> None:
    """Reset a connection."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def in_words(call: str, said: str) -> str:
    """The agent's answer in the words of the table."""
    if "CANCELLED" in said:
        return "blocks"
    value = re.split("[ :]", said, maxsplit=1)[0]
    error = int((re.search(r"err=(\d+)", said) or ["", "0"])[1])
    if value in ("void", "ok"):
        return "ok"
    if value == "-1" or (value == "0" and call not in COUNTS):
        return ERRORS.get(error, str(error))
    if call in COUNTS:
        return f"{value} bytes"
    return "a handle" if call == "detach" else "TRUE"


def check_socket_states(agent: Agent, *, every: int = 1) -> Report:
    """The cells of the column mfc, each in a fresh socket; `every` takes each n-th of them."""
    report = Report("sockets' states")
    agent.expect("1", "init")
    with ExitStack() as kept:
        bench = Bench(agent, "s", kept)
        for kind, state, call in list(mfc())[::every]:
            if bench.kind == "s" and kind == "CAsyncSocket":
                bench = Bench(agent, "a", kept)
            cell = mfc()[kind, state, call]
            try:
                agent.expect("ok", f"patience {400 if cell.answer == 'blocks' else 5000}")
                found, told = bench.answer(state, call)
                bench.clear()
            except (NoAnswer, OSError) as missing:
                found, told = f"{missing}", ""
                agent.end()
                agent.start()
                agent.expect("1", "init")
            report.compared += 1
            wanted = notifications()[kind, state, call]
            if found != cell.answer:
                report.differ(None, f"{kind}, {state}, {call}: {found} there, {cell.answer} in the table")
            elif told != wanted:
                line = f"{kind}, {state}, {call}: told {told!r} there, {wanted!r} in the table"
                report.differ(LEAKED if "leaks" in cell.note else None, line)
    return report
