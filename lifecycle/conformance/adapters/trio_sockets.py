"""The adapter of `trio.socket`: each call is awaited to its end, or cancelled as soon as it would have to wait.

trio runs in its own thread while the adapter is open. A trio socket has no time-out: the circumstances of a call are cancel
scopes around it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Self

from lifecycle.conformance.adapters.known import Known
from lifecycle.conformance.adapters.sockets import CIRCUMSTANCES, SocketAdapter
from lifecycle.conformance.model.environment import Under
from lifecycle.roles.client import CONNECTING
from lifecycle.roles.words import ACCEPT, CONNECT, DETACH
from lifecycle.system.outcomes import would_block

if TYPE_CHECKING:
    import trio

TURNS = 8
"""A call that has not ended after so many turns of trio, each of which polls the system, is one that waits."""

AWAITED = frozenset({
    "bind", CONNECT.name, ACCEPT.name, "send", "sendmsg", "recv", "recv_into", "recvfrom", "recvfrom_into", "sendto",
})  # fmt: skip
"""the calls of a trio socket that must be awaited"""

IN_ITS_THREAD = frozenset({"close", DETACH.name})
"""the calls that are not awaited, but must be made in trio's thread"""

_AWAITED_CONNECT = "trio: connect() is awaited to its end, and never left pending"
_CANCELLED_CONNECT = "trio: a connect() that is cancelled closes its socket"
KNOWN = (
    Known(_AWAITED_CONNECT, call=CONNECT.name, got="ok"),
    Known(_AWAITED_CONNECT, call=CONNECT.name, got="refused (ECONNREFUSED)"),
    Known(_CANCELLED_CONNECT, state=CONNECTING.name, got="failed (EBADF)"),
    Known(_CANCELLED_CONNECT, state=CONNECTING.name, got="EBADF"),
)
"""the intended differences between trio and a socket of the system"""

TRIO_LACKS = frozenset({"settimeout 0", "connect_ex", "makefile"})
"""bare calls that a trio socket does not have"""


class TrioThread:
    """A thread in which trio runs until close()."""

    def __init__(self) -> None:
        self._token: trio.lowlevel.TrioToken | None = None
        self._finished: trio.Event | None = None
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trio under test", daemon=True)
        self._thread.start()
        self._running.wait()

    def call(self, function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """The result of `await function(*arguments)`, or its error."""
        import trio

        return trio.from_thread.run(function, *arguments, trio_token=self._token)

    def call_now(self, function: Callable[[], Any]) -> Any:
        """The result of `function()`, or its error."""
        import trio

        return trio.from_thread.run_sync(function, trio_token=self._token)

    def close(self) -> None:
        """End trio and its thread."""
        assert self._finished is not None
        self.call_now(self._finished.set)
        self._thread.join()

    def _run(self) -> None:
        import trio

        async def main() -> None:
            self._token = trio.lowlevel.current_trio_token()
            finished = self._finished = trio.Event()
            self._running.set()
            await finished.wait()

        trio.run(main)


class SyncSocket:
    """A trio socket with blocking methods, for a RawStage."""

    def __init__(self, sock: trio.socket.SocketType, thread: TrioThread) -> None:
        self._sock: Any = sock
        self._thread = thread
        self._seconds: float | None = 0

    def settimeout(self, seconds: float | None) -> None:
        """Set how long later calls may wait; trio has no such call."""
        self._seconds = seconds

    def gettimeout(self) -> float | None:
        """How long calls may wait."""
        return self._seconds

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._sock, name)
        if name in IN_ITS_THREAD:
            return lambda: self._thread.call_now(method)
        if name not in AWAITED:
            return method
        return lambda *arguments: self._thread.call(self._in_time, method, arguments)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def _in_time(self, method: Callable[..., Awaitable[Any]], arguments: tuple[Any, ...]) -> Any:
        import trio

        if self._seconds:
            try:
                with trio.fail_after(self._seconds):
                    return self._wrapped(await method(*arguments))
            except trio.TooSlowError:
                raise TimeoutError("timed out") from None
        results: list[Any] = []
        errors: list[Exception] = []

        async def make() -> None:
            try:
                results.append(self._wrapped(await method(*arguments)))
            except Exception as error:  # raised again for the caller
                errors.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(make)
            for _ in range(TURNS):
                if results or errors:
                    break
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        if errors:
            raise errors[0]
        if not results:
            raise would_block()
        return results[0]

    def dup(self) -> SyncSocket:
        """Another trio socket."""
        return SyncSocket(self._sock.dup(), self._thread)

    def _wrapped(self, result: Any) -> Any:
        """accept() gives another trio socket, too."""
        if isinstance(result, tuple) and hasattr(result[0], DETACH.name):
            return SyncSocket(result[0], self._thread), result[1]
        return result


class TrioAdapter(SocketAdapter):
    """`trio.socket` under test."""

    def __init__(self) -> None:
        import trio

        thread = self._thread = TrioThread()
        super().__init__(
            lambda family, kind: SyncSocket(trio.socket.from_stdlib_socket(socket.socket(family, kind)), thread),
            name="trio",
            platform="linux",
            known=KNOWN,
            circumstances=CIRCUMSTANCES - {Under.SCARCE},
        )

    def close(self) -> None:
        """End trio, too."""
        super().close()
        self._thread.close()
