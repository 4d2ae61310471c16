"""Server: listens, and accepts connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from lifecycle.engine import IllegalCall, fires_into
from lifecycle.roles import SERVER
from lifecycle.sockets.accepted import Accepted
from lifecycle.sockets.bindable import Bindable
from lifecycle.sockets.listening import Listening
from lifecycle.system.polling import deadline_after


class Server(Listening, Bindable, role=SERVER):
    """The server's listening socket: create(), listen(), then accept() again and again, or `for accepted in server`.

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine: see Lifecycle.
    """

    __slots__ = ()

    def _new_accepted(self) -> Accepted:
        return Accepted(engine=self.engine)

    @fires_into(Accepted, default=_new_accepted)
    def accept(self, target: Accepted | None = None) -> Accepted:
        """Take the first queued connection, or wait for one; the object that holds it.

        target: an empty Accepted, never created, to fill; a new one is made when it is None. It gets the server's time-out
        unless it has its own. Legal in `listening`, with a target in `empty`: both are checked before the system is asked.
        Raises TypeError for a target that is no Accepted; TimeoutError, BlockingIOError; OSError (EMFILE), after which the
        connection still waits in the queue.
        """
        assert target is not None  # _new_accepted() made one
        connection = self._next_connection()
        connection.setblocking(False)
        target._install(connection, self._timeout)
        return target

    def __iter__(self) -> Iterator[Accepted]:
        """Accept connections until the server is closed, in this thread or another one; a time-out raises TimeoutError."""
        while True:
            try:
                accepted = self.accept()
            except IllegalCall:
                if self.state in self.role.final:
                    return
                raise
            yield accepted

    def _next_connection(self) -> socket.socket:
        deadline = deadline_after(self._timeout)
        while True:
            try:
                return self._socket.accept()[0]
            except BlockingIOError:
                self._wait(writing=False, deadline=deadline)
            except ConnectionAbortedError:
                pass  # it was gone before we came (accept(2): to be treated like EAGAIN)
