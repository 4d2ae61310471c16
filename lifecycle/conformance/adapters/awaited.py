"""The adapter of the asynchronous twins: every call is awaited to its end here, or made without waiting.

A call that must not wait is made by nowait(), and needs no event loop; one that waits runs in an asyncio loop. An awaited call
has no time-out of its own, so it never ends in `timed_out`.
"""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from lifecycle import aio
from lifecycle.conformance.adapters.governed import FIRED, READ_AHEAD, GovernedAdapter, GovernedStage
from lifecycle.conformance.adapters.loopback import CAN_BE_SCARCE, Loopback
from lifecycle.conformance.adapters.objects import OutcomeTrace
from lifecycle.conformance.model.environment import Provocation, Under
from lifecycle.engine import Role
from lifecycle.roles.words import START_TLS

CLASSES: Mapping[str, type[Any]] = {kind.role.name: kind for kind in (aio.Server, aio.Client, aio.Accepted, aio.Datagram)}
"""role -> the package's class"""


class AwaitedStage(GovernedStage):
    """A governed socket whose calls are awaited, among its peers."""

    drives_peer = False

    def __init__(
        self,
        role: str,
        kind: type[Any],
        loopback: Loopback,
        engine: str | None,
        trace: OutcomeTrace | None,
        runner: asyncio.Runner,
    ) -> None:
        super().__init__(role, kind, loopback, engine, trace)
        self._runner = runner
        self._waited = False

    def begin(self, kind: type[Any], engine: str | None) -> Any:
        """A new object; each call decides whether it waits."""
        return kind(engine=engine)

    def set_circumstances(self, under: Under) -> None:
        """Set whether the next call waits, and whether its wait is cancelled."""
        self._under = under
        self.subject.cancels = under is Under.CANCELLED

    def make(self, call: str, arguments: tuple[Any, ...]) -> Any:
        """Make the call and await it; a plain one is made in the loop that the object has waited in."""
        if call in FIRED:
            return super().make(call, arguments)
        method, arguments = self.method(call, arguments)
        return self._made(method, *arguments)

    def _made(self, make: Callable[..., Any], *arguments: Any) -> Any:
        is_patient = self._under in (Under.PATIENTLY, Under.CANCELLED)
        if not is_patient and not self._waited:
            return _without_waiting(make(*arguments))
        self._waited = True

        async def call() -> Any:
            value = make(*arguments)
            return await value if is_patient and inspect.iscoroutine(value) else _without_waiting(value)

        return self._awaited(call())

    def read_ahead(self) -> None:
        """Have a file over the object buffer the data that has arrived, unread."""
        if self.subject.is_legal(START_TLS.name):
            self._file = aio.SocketFile(self.subject, archive_compatible=False, engine=self.subject.engine)
            with suppress(BlockingIOError):
                aio.nowait(self._file.read(READ_AHEAD))

    def be_accepted(self) -> None:
        """A server accepts a connection into the object."""

        async def accept() -> Any:
            with aio.Server() as server:
                await server.create(**self.where_to_listen())
                server.listen()
                client = self.connected_to(server.get_sock_name())
                await server.accept(self.subject)
            return client

        self._waited = True
        self.meet(self._awaited(accept()))

    def be_a_file(self) -> None:
        """A SocketFile is made over the object and closed: the object stays as it is."""
        aio.SocketFile(self.subject, engine=self.subject.engine).close()

    def _awaited(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Its result. Runner.run() would cancel it at Ctrl-C, and forget that where the call fails."""
        return self._runner.get_loop().run_until_complete(work)

    def end(self) -> None:
        """Close the object, in the loop that may still watch it."""
        self._made(self.subject.close)


class AwaitedAdapter(GovernedAdapter):
    """The package's asynchronous sockets; files and archives over them are tried as the blocking ones are."""

    def __init__(
        self,
        *,
        engine: str | None = None,
        watched: bool = False,
        tls_version: ssl.TLSVersion | None = None,
        local: bool = False,
    ) -> None:
        super().__init__(CLASSES, name="lifecycle.aio", engine=engine, watched=watched, tls_version=tls_version, local=local)
        self._runner = asyncio.Runner()

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """Everything except time-outs; over a path nothing is cancelled, since a call that polls does not announce its wait."""
        if self._folder is not None and provocation.under is Under.CANCELLED:
            return False
        return provocation.under is not Under.BRIEFLY and (CAN_BE_SCARCE or provocation.under is not Under.SCARCE)

    def socket_stage(self, role: str, kind: type[Any], trace: OutcomeTrace | None) -> AwaitedStage:
        """A new socket in its initial state."""
        return AwaitedStage(role, kind, self._loopback, self.engine, trace, self._runner)

    def close(self) -> None:
        """Close the loop, too."""
        super().close()
        self._runner.close()


def _without_waiting(value: Any) -> Any:
    return aio.nowait(value) if inspect.iscoroutine(value) else value
