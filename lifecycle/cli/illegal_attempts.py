"""The demo's illegal calls: one for each role, on real objects."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from lifecycle.archive import DWORD, Archive, SocketFile
from lifecycle.cli.conversation import HOST, PATIENCE, DemoFailed, shown_call
from lifecycle.engine import IllegalCall, Role
from lifecycle.sockets import Accepted, Client, Datagram, Server
from lifecycle.sockets.os_socket import OsSocket

Step = tuple[str, tuple[object, ...]]
"""(call, its arguments)"""

Prepare = Callable[[ExitStack], tuple[str, Any]]
"""Makes the object, which the stack closes: the program's line that does, and the object."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that a beginner would try, after the calls that lead there."""

    role: Role
    prepare: Prepare
    before: tuple[Step, ...]
    illegal: Step
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What became of an attempt: the program's lines and the error."""

    program: tuple[str, ...]
    error: IllegalCall


def _socket(kind: type[OsSocket]) -> Prepare:
    def prepare(stack: ExitStack) -> tuple[str, OsSocket]:
        line = f"{kind.role.name} = {kind.__name__}(timeout={PATIENCE})"
        return line, stack.enter_context(kind(timeout=PATIENCE))

    return prepare


def _file(stack: ExitStack) -> tuple[str, SocketFile]:
    server = stack.enter_context(Server(timeout=PATIENCE))
    client = stack.enter_context(Client(timeout=PATIENCE))
    server.create(0, HOST)
    server.listen()
    client.create(0, HOST)
    client.connect(*server.get_sock_name())
    return "file = SocketFile(client)", stack.enter_context(SocketFile(client))


def _archive(stack: ExitStack) -> tuple[str, Archive]:
    return 'archive = Archive(io.BytesIO(), "load")', stack.enter_context(Archive(io.BytesIO(), "load"))


ATTEMPTS = (
    Attempt(Server.role, _socket(Server), (("create", (0, HOST)),), ("accept", ())),
    Attempt(Client.role, _socket(Client), (("create", (0, HOST)),), ("send", (b"too early",))),
    Attempt(Accepted.role, _socket(Accepted), (), ("create", (0, HOST))),
    Attempt(Datagram.role, _socket(Datagram), (("open", ()),), ("receive_from", ())),
    Attempt(SocketFile.role, _file, (), ("seek", (0,)), "file.seek(0)"),
    Attempt(Archive.role, _archive, (), ("store", (DWORD, 5)), "archive << DWORD(5)"),
)


def refused(attempt: Attempt) -> Refusal:
    """Try it. Raises DemoFailed when the call is not refused, OSError when a call before it fails."""
    with ExitStack() as stack:
        line, target = attempt.prepare(stack)
        program = [line]
        for step in (*attempt.before, attempt.illegal):
            call = getattr(target, step[0])
            program.append(attempt.shown if attempt.shown and step is attempt.illegal else shown_call(call, *step[1]))
            try:
                call(*step[1])
            except IllegalCall as error:
                return Refusal(tuple(program), error)
    raise DemoFailed(f"{program[-1]} was not refused")
