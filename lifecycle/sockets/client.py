"""Client: seeks a connection, then talks over it."""

from __future__ import annotations

import errno
from typing import Any

from lifecycle.roles import CLIENT
from lifecycle.sockets.bindable import Bindable
from lifecycle.sockets.connecting import connect_outcome
from lifecycle.sockets.stream import Stream
from lifecycle.system.addresses import checked_peer, resolve
from lifecycle.system.outcomes import UNDER_WAY, system_error
from lifecycle.system.polling import deadline_after
from lifecycle.system.portable_calls import bind_again, connect_result


class Client(Bindable, Stream, role=CLIENT):
    """The client's side of a stream connection: create(), connect(), then send() and receive().

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine: see Lifecycle.
    """

    __slots__ = ()

    def connect(self, address: str, port: int) -> None:
        """Seek a connection, and wait until it is made.

        address: a numeric address, or a name, whose first address of this socket's family is taken. port: 1..65535. Legal
        in `open` (binds implicitly) and `bound`. Raises ConnectionRefusedError and other OSErrors, after which the state is
        what it was and the call may be retried; BlockingIOError (timeout 0) and TimeoutError, after which it is `connecting`;
        OSError (EADDRNOTAVAIL) for the address of no machine or port 0, which Linux would take for its own.
        """
        name = checked_peer(resolve(address, port, self._socket.family, self._kind)[1])
        number = self._socket.connect_ex(name)
        if number in UNDER_WAY and self._timeout == 0:
            raise system_error(errno.EINPROGRESS)
        self._await_result("connect", number, name)

    def finish_connect(self) -> None:
        """Learn how a connect that did not wait to its end has come out, waiting for it as the timeout says.

        Legal in `connecting`. Raises ConnectionRefusedError and other OSErrors, after which the socket is `bound` and
        connect() may be retried; BlockingIOError and TimeoutError while nothing is known yet.
        """
        self._await_result("finish_connect", errno.EINPROGRESS, self._socket.getsockname())

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """As for every socket; but a connect that was interrupted, by whatever, leaves the system connecting."""
        return connect_outcome(self, call, super().outcome_of(call, error))

    def _await_result(self, call: str, number: int, address: Any) -> None:
        """Wait until the error `number` of a connect is its last word; raise that unless it is 0."""
        deadline = deadline_after(self._timeout)
        while number in UNDER_WAY:
            number = connect_result(self._socket, address)
            if number not in UNDER_WAY:
                break
            if self._timeout == 0:
                raise system_error(errno.EINPROGRESS)
            self._wait(writing=True, deadline=deadline)
        if number:
            refused = self._row._after(call, "refused")
            if refused is not None and refused._allows("get_sock_name"):
                bind_again(self._socket)
            raise system_error(number)
