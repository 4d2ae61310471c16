"""Client, blocking: its waiting calls, each handed to the operation that does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from lifecycle.engine import inlined
from lifecycle.net.blocking.created import Created
from lifecycle.net.blocking.stream import Stream
from lifecycle.net.operations import Timeout
from lifecycle.net.operations.connecting import NO_PLAN, attempted, connecting_anywhere, finishing, going_on
from lifecycle.net.twins import ClientCalls
from lifecycle.roles import words
from lifecycle.roles.client import CLIENT
from lifecycle.system.local_sockets import Path


class Client(Created, ClientCalls, Stream, role=CLIENT):
    """The client's side of a stream connection: create(), connect(), then send() and receive().

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine, journal: see Lifecycle.
    """

    __slots__ = ("_plan", "_sought")

    _fresh: ClassVar[Mapping[str, object]] = {"_plan": NO_PLAN, "_sought": None}

    @inlined
    def connect(
        self,
        address: str | None = None,
        port: int | None = None,
        *,
        path: Path | None = None,
        timeout: Timeout = ...,
    ) -> None:
        """Connect, and wait until the connection is made.

        address: a numeric address, or a name, whose addresses are tried as RFC 8305 has it: families take turns, and the next
        attempt begins after a quarter of a second beside those that go on. A client that was given a local address, a port or
        a family keeps to them, and tries the addresses of its family one after the other. port: 1..65535. path: a Unix-domain
        socket's path or abstract name, in place of both. timeout: seconds that this call may wait, None for ever; the object's
        own where it is not given. Legal in `open` (binds implicitly) and `bound`. Raises
        ConnectionRefusedError and other OSErrors, after which the state is what it was and the call may be retried, over a
        fresh socket of the system with the same options and address; BlockingIOError (timeout 0) and TimeoutError, after which
        it is `connecting`; OSError (EADDRNOTAVAIL) for the unspecified address or port 0, for which Linux would connect to
        itself.
        """
        number: int | None = None
        if path is None and timeout is ... and self._timeout != 0:
            number = attempted(self, address, port)
        if number == 0:
            self._plan = NO_PLAN
        elif number is not None:
            self._run(words.CONNECT, going_on(self, number))
        else:
            waits = self._seconds(timeout) != 0
            self._run(words.CONNECT, connecting_anywhere(self, address, port, path, waits=waits), timeout=timeout)

    def finish_connect(self, *, timeout: Timeout = ...) -> None:
        """Get the result of a connect that did not wait until it ended, waiting for it as the timeout says.

        Legal in `connecting`. Raises ConnectionRefusedError and other OSErrors, after which the socket is `bound` and
        connect() may be retried; BlockingIOError and TimeoutError while there is no result yet.
        """
        self._run(words.FINISH_CONNECT, finishing(self), timeout=timeout)
