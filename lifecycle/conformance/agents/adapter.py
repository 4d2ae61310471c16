"""The adapter of a socket agent: its sockets among the system's, or among their own if the stack has its own network."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from importlib.resources import files
from typing import Any

from lifecycle.conformance.adapters.abilities import Abilities, LeftOut
from lifecycle.conformance.adapters.effects import SHOWS
from lifecycle.conformance.adapters.known import table_of
from lifecycle.conformance.adapters.loopback import IMPATIENCE, Loopback
from lifecycle.conformance.adapters.peers import KINDS
from lifecycle.conformance.adapters.sockets import SPELLING, RawStage, SocketAdapter, lacking
from lifecycle.conformance.agents.process import Agent
from lifecycle.conformance.agents.sockets import socket_class
from lifecycle.conformance.driving.watchdog import WATCHDOG, Hangs
from lifecycle.conformance.model.environment import Environment, Facts, Provocation, Under
from lifecycle.engine import Role
from lifecycle.roles import ACCEPTED, SERVER
from lifecycle.roles.words import FINISH_CONNECT, SET_OPTION

SOURCES = {
    "c": "agent.c",
    "lwip": "lwip.c",
    "go": "agent.go",
    "netstack": "netstack.go",
    "java": "Agent.java",
    "node": "agent.js",
}
"""language, or stack -> the file of its agent"""

CONTRACT = "contract"
WITHOUT_SYSTEM = frozenset({Under.AT_ONCE, Under.BRIEFLY, Under.PATIENTLY})
"""circumstances of calls on sockets that need no descriptors"""


def source_of(name: str) -> str:
    """The text of a shipped agent. Raises KeyError for a name that is not in SOURCES."""
    return (files("lifecycle.conformance.agents") / "sources" / SOURCES[name]).read_text(encoding="utf-8")


LEFT_OUT = "left out"
OWN = "own"
SET_OPTION_METHOD = SPELLING[SET_OPTION.name][0]


class AgentStage(RawStage):
    """One socket of an agent among its peers."""

    def __init__(self, role: str, agent: Agent, kind: type[Any], loopback: Loopback) -> None:
        self._agent, self._making, self._kind = agent, role, kind
        self._own_finish = agent.told.get("finish") == OWN
        super().__init__(role, self._made, loopback)

    def _made(self, family: int, kind: int) -> Any:
        return self._kind(self._agent, kind, role=self._making)

    def be_accepted(self) -> None:
        """The listener that accepts it is a server's: some languages have a class for each kind."""
        self._making = SERVER.name
        try:
            super().be_accepted()
        finally:
            self._making = ACCEPTED.name

    def settle(self, facts: Facts) -> None:
        """The program waits before its next call; after a wait in vain it waits less."""
        seconds = min(self.loopback.patience, IMPATIENCE) if self._agent.is_late else self.loopback.patience
        for fact in facts:
            if fact in SHOWS:
                self.sock.post_becomes(SHOWS[fact], seconds)

    def buffer_little(self) -> None:
        """As on a descriptor, if the stack has that option."""
        if self._is_open and self._agent.told.get("peers") != OWN and hasattr(self.sock, SET_OPTION_METHOD):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)

    def end(self) -> None:
        """The number of a socket that is not needed any more is given back, and the socket closed with it."""
        if self._is_open:
            self.sock.forget()

    def finish_connect(self) -> None:
        """By a separate call, if the stack has one."""
        if self._own_finish:
            self.sock.finish()
        else:
            super().finish_connect()


class AgentAdapter(SocketAdapter):
    """An implementation whose calls a program makes. Raises BadAgent where the program is not an agent.

    command: how it is started. The program itself reports what its peers are, which calls it lacks, and which system's answers
    are expected.
    """

    def __init__(self, command: str) -> None:
        self.agent = Agent(command)
        self.agent.start()
        told = self.agent.told
        self._kind = socket_class(frozenset(told.get("lacks", "").split(",")))
        platform = told.get("platform", CONTRACT)
        super().__init__(
            self._new,
            name=told.get("agent", command),
            peers=self._new if told.get("peers") == OWN else socket.socket,
            platform=None if platform == CONTRACT else platform,
            known=table_of(told.get("agent", "")),
            circumstances=WITHOUT_SYSTEM,
            lacks=lacking(self._new) - ({FINISH_CONNECT.name} if told.get("finish") == OWN else set()),
            host=told.get("host", "127.0.0.1"),
        )
        self._generation = self.agent.generation

    def judge_like(self, platform: str | None) -> None:
        """Compare with another system; known differences do not apply then."""
        super().judge_like(platform)
        self.known = ()

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The parts that are not tried, each with its reason."""
        steps = [each for each in self.known if each.got == LEFT_OUT]
        self.shown.update(steps)
        lacking = [(role, self._lacking(role)) for role in KINDS]
        return (
            *super().left_out,
            *(LeftOut(f"{verb}()", "the agent lacks it", role) for role, verbs in lacking for verb in verbs),
            *(LeftOut(each.call, each.name, each.role) for each in steps),
        )

    def _lacking(self, role: str) -> list[str]:
        """The verbs that it does not have in this role."""
        return sorted(filter(None, self.agent.told.get(f"lacks.{role}", "").split(",")))

    def environment(self, role: Role) -> Environment:
        """The environment of the socket roles, without the steps that are left out."""
        found = super().environment(role)
        return replace(found, peer_actions=tuple(each for each in found.peer_actions if not self._drops(role, each.label)))

    def _drops(self, role: Role, label: str, *, legal: bool = True) -> bool:
        steps = (each for each in self.known if each.got == LEFT_OUT and each.call == label and each.role in ("", role.name))
        return any(not each.expected or not legal for each in steps)

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """The calls that it has in this role."""
        if super().offers(role, provocation, legal=legal):
            lacks = SPELLING[provocation.call][0] in self._lacking(role.name)
            return not lacks and not self._drops(role, provocation.label, legal=legal)
        return False

    def _new(self, family: int, kind: int) -> Any:
        return self._kind(self.agent, kind)

    @cached_property
    def abilities(self) -> Abilities:
        """The abilities of its sockets; after the examination the program is started anew, so that nothing of it is left."""
        found = super().abilities
        if self._peers is not socket.socket:
            self.restart()
        return found

    def restart(self) -> None:
        """Start the program anew, without earlier sockets."""
        self.agent.close()

    def stage(self, role: Role) -> AgentStage:
        """A new object that has no socket yet; if the program was started anew, its peers are new, too."""
        self.agent.start()
        if self._generation != self.agent.generation:
            if self._peers is not socket.socket:
                self._loopback = Loopback(self._peers, patience=self._loopback.patience, host=self._loopback.host)
            self._generation = self.agent.generation
        return AgentStage(role.name, self.agent, self._kind, self._loopback)

    def close(self) -> None:
        """End the program."""
        with suppress(Hangs), WATCHDOG.unless_under_way():
            super().close()
        self.agent.close()
