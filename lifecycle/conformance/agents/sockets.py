"""Proxies for the sockets of an agent: a class with those methods of `socket.socket` that the agent has."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from lifecycle.conformance.agents.process import Agent

KINDS: dict[int, str] = {socket.SOCK_STREAM: "stream", socket.SOCK_DGRAM: "dgram"}
DIRECTIONS: dict[int, str] = {socket.SHUT_RD: "r", socket.SHUT_WR: "w", socket.SHUT_RDWR: "rw"}
OPTIONS = {getattr(socket, name): name for name in ("SO_RCVBUF", "SO_SNDBUF", "SO_REUSEADDR", "SO_TYPE")}
MUCH = 1 << 20  # the number of bytes from which on an agent makes the data itself


class AgentSocket:
    """One socket of an agent.

    The program's answers are returned or raised as `socket.socket` does. Every call raises ConnectionAbortedError if the
    program was started anew since.
    """

    def __init__(self, agent: Agent, kind: int = 0, *, role: str = "client", slot: int = 0) -> None:
        self._agent = agent
        self.type = kind or socket.SOCK_STREAM
        self._slot = slot or agent.slot()
        self._generation = agent.generation
        self._seconds: float | None = None
        self._is_open = True
        self._resets = False
        if not slot:
            self._ask(f"socket {self._slot} {KINDS[kind]} {role}")

    def _ask(self, line: str, seconds: float | None = None) -> list[str]:
        """The fields of the answer to a command that takes so many seconds at most, by default the time-out."""
        if self._generation != self._agent.generation:
            raise ConnectionAbortedError("the agent was started anew")
        word, _, rest = self._agent.ask(line, within=(self._seconds or 0) if seconds is None else seconds).partition(" ")
        if word == "ok":
            return rest.split()
        if word == "timeout":
            raise TimeoutError("timed out")
        name = "ENOSYS" if word == "lacks" else _posix(rest)
        number = getattr(errno, name, None)
        if number is None:
            raise OSError(f"{word} {rest}")
        raise OSError(number, os.strerror(number))

    def settimeout(self, seconds: float | None) -> None:
        """Set the time-out, which is sent with the next call."""
        if seconds != self._seconds and self._generation == self._agent.generation:
            self._seconds = seconds
            self._agent.post(f"timeout {self._slot} {'none' if seconds is None else seconds}")

    def becomes(self, what: str, seconds: float) -> bool:
        """Whether the socket becomes so within this time."""
        return self._ask(f"becomes {self._slot} {what} {seconds}", seconds) == ["1"]

    def post_becomes(self, what: str, seconds: float) -> None:
        """Make the program wait for that before its next call."""
        if self._is_open and self._generation == self._agent.generation:
            self._agent.post(f"becomes {self._slot} {what} {seconds}", within=seconds)

    def finish(self) -> None:
        """Collect the result of a connect that is under way, if that is a separate call."""
        self._ask(f"finish {self._slot}")

    def forget(self) -> None:
        """Close it, ignoring the answer."""
        self._is_open = False

    def close(self) -> None:
        """Close, or reset where SO_LINGER was set to do so; once."""
        if self._is_open:
            self._is_open = False
            self._ask(f"{'abort' if self._resets else 'close'} {self._slot}")

    def __del__(self) -> None:
        self._agent.give_back(self._slot, self._generation)


class WholeSocket(AgentSocket):
    """A socket with every method; each sends the verb of the protocol with its name."""

    def bind(self, address: tuple[str, int]) -> None:
        self._ask(f"bind {self._slot} {address[0]} {address[1]}")

    def listen(self, backlog: int = 8) -> None:
        self._ask(f"listen {self._slot} {backlog}")

    def accept(self) -> tuple[Any, tuple[str, int]]:
        slot = self._agent.slot()
        try:
            host, port = self._ask(f"accept {self._slot} {slot}")
        except BaseException:
            self._agent.give_back(slot, self._generation)
            raise
        return type(self)(self._agent, slot=slot), (host, int(port))

    def connect(self, address: tuple[str, int]) -> None:
        self._ask(f"connect {self._slot} {address[0]} {address[1]}")

    def send(self, data: Any, flags: int = 0) -> int:
        if len(data) > MUCH:
            return int(self._ask(f"fill {self._slot} {len(data)}")[0])
        return int(self._ask(f"send {self._slot} {bytes(data).hex() or '-'}")[0])

    def sendto(self, data: Any, address: tuple[str, int]) -> int:
        host, port = address
        if len(data) > MUCH:
            return int(self._ask(f"fill {self._slot} {len(data)} {host} {port}")[0])
        return int(self._ask(f"sendto {self._slot} {bytes(data).hex() or '-'} {host} {port}")[0])

    def recv(self, size: int, flags: int = 0) -> bytes:
        return _bytes(self._ask(f"recv {self._slot} {size}{_words(flags)}")[0])

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
        data, host, port = self._ask(f"recvfrom {self._slot} {size}{_words(flags)}")
        return _bytes(data), (host, int(port))

    def shutdown(self, how: int) -> None:
        self._ask(f"shutdown {self._slot} {DIRECTIONS[how]}")

    def getsockname(self) -> tuple[str, int]:
        host, port = self._ask(f"getsockname {self._slot}")
        return host, int(port)

    def getpeername(self) -> tuple[str, int]:
        host, port = self._ask(f"getpeername {self._slot}")
        return host, int(port)

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        if isinstance(value, bytes):  # SO_LINGER, which makes close() reset the connection: not every stack supports that
            self._resets = True
        else:
            self._ask(f"setsockopt {self._slot} {OPTIONS.get(option, option)} {value}")

    def getsockopt(self, level: int, option: int) -> int:
        if option == socket.SO_ERROR:
            (name,) = self._ask(f"error {self._slot}")
            return 0 if name == "0" else int(getattr(errno, _posix(name), errno.EIO))
        return int(self._ask(f"getsockopt {self._slot} {OPTIONS.get(option, option)}")[0])


def _posix(name: str) -> str:
    return name.strip().removeprefix("WSA")


def _words(flags: int) -> str:
    return " oob" * bool(flags & socket.MSG_OOB) + " peek" * bool(flags & socket.MSG_PEEK)


def _bytes(digits: str) -> bytes:
    return b"" if digits == "-" else bytes.fromhex(digits)


def _recv(self: Any, size: int) -> bytes:
    return WholeSocket.recv(self, size)


def socket_class(lacks: frozenset[str]) -> type[Any]:
    """The class of the sockets of an agent that lacks these verbs, or `flags` of recv and recvfrom."""
    methods = {name: method for name, method in vars(WholeSocket).items() if name not in lacks}
    if "flags" in lacks:
        methods["recv"] = _recv
    return type("AgentSocket", (AgentSocket,), methods)
