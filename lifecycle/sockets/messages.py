"""Messages: what a datagram socket does that never waits."""

from __future__ import annotations

import socket
from typing import Any

from lifecycle.roles.words import SHUT_DOWN
from lifecycle.sockets.bindable import Openable
from lifecycle.sockets.shutting import direction, shut_down
from lifecycle.system.addresses import any_address
from lifecycle.system.handles import is_bound
from lifecycle.system.portable_calls import Direction, forget_peer


class Messages(Openable):
    """A datagram socket, but for what it waits for."""

    __slots__ = ()

    _kind = socket.SOCK_DGRAM

    def disconnect(self) -> None:
        """Forget the peer; the local address stays. Legal in `connected`."""
        forget_peer(self._socket)

    def shut_down(self, how: Direction = "sends") -> None:
        """End one direction, or both; the peer is told nothing.

        how: "sends" (the default), "receives" or "both", or MFC's numbers 1, 0 and 2. Legal once a peer is set: without one
        Linux answers ENOTCONN and is poisoned all the same. Raises ValueError for another `how`.
        """
        shut_down(self, self._socket, how)

    def outcome_before(self, call: str, *arguments: Any, **keywords: Any) -> str:
        """What shut_down() ends is chosen by its argument."""
        return direction(*arguments, **keywords) if call == SHUT_DOWN.name else "ok"

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """As for every socket; but where a failure leads on, by an implicit bind, the socket tells whether it came to it."""
        failed = self._row._after(call, "failed")
        if failed is None or failed is self._row:
            return super().outcome_of(call, error)
        return "failed" if self._is_bound() else None

    def _bind_implicitly(self) -> None:
        try:
            self._socket.bind((any_address(self._socket.family), 0))
        except OSError:
            if not self._is_bound():  # or else another thread's first send_to() came before
                raise

    def _is_bound(self) -> bool:
        return is_bound(self._socket)
