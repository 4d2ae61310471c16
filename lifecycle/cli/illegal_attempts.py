"""The demo's illegal calls: one for each role, on real objects."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle.cli.conversation import HOST, PATIENCE, DemoFailed, shown_call
from lifecycle.engine import IllegalCall
from lifecycle.sockets import Accepted, Client, Datagram, Server
from lifecycle.sockets.os_socket import OsSocket

Step = tuple[str, tuple[object, ...]]
"""(call, its arguments)"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that a beginner would try, after the calls that lead there."""

    kind: type[OsSocket]
    before: tuple[Step, ...]
    illegal: Step


@dataclass(frozen=True, slots=True)
class Refusal:
    """What became of an attempt: the program's lines and the error."""

    program: tuple[str, ...]
    error: IllegalCall


ATTEMPTS = (
    Attempt(Server, (("create", (0, HOST)),), ("accept", ())),
    Attempt(Client, (("create", (0, HOST)),), ("send", (b"too early",))),
    Attempt(Accepted, (), ("create", (0, HOST))),
    Attempt(Datagram, (("open", ()),), ("receive_from", ())),
)


def refused(attempt: Attempt) -> Refusal:
    """Try it. Raises DemoFailed when the call is not refused, OSError when a call before it fails."""
    with attempt.kind(timeout=PATIENCE) as target:
        program = [f"{target.role.name} = {attempt.kind.__name__}(timeout={PATIENCE})"]
        for name, arguments in (*attempt.before, attempt.illegal):
            call = getattr(target, name)
            program.append(shown_call(call, *arguments))
            try:
                call(*arguments)
            except IllegalCall as error:
                return Refusal(tuple(program), error)
    raise DemoFailed(f"{program[-1]} was not refused")
