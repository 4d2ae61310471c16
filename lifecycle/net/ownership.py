"""The owner of a descriptor while attach() and detach() hand it over, however they end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from lifecycle.engine import LifecycleError
from lifecycle.roles import words
from lifecycle.system.handles import identity_of, own
from lifecycle.system.passing import Arrived

LENT: dict[Any, bool] = {}
"""Sockets whose attach() has not ended -> whether they blocked before: the caller's still, which a close() leaves open"""


def giving_back(attach: Callable[..., None]) -> Callable[..., None]:
    """attach(), after which the caller has the descriptor whatever ends it: an exception of a signal handler, or a close()."""

    @wraps(attach)
    def call(self: Any, handle: int | socket.socket, *arguments: Any, **keywords: Any) -> None:
        node = self._node
        number = handle.fileno() if isinstance(handle, socket.socket) else handle
        try:
            attach(self, handle, *arguments, **keywords)
            LENT.pop(self._socket, None)
        except BaseException:
            sock = getattr(self, "_socket", None)
            if node._state == self.role.initial and sock is not None and sock.fileno() in (number, -1):
                if not self.is_over:
                    self._moves(self._node, node)
                if sock.fileno() != -1:
                    sock.setblocking(LENT.get(sock, True))
                    sock.detach()
                self._socket = None
                LENT.pop(sock, None)
            if isinstance(handle, socket.socket) and handle.fileno() == -1 != number:
                own(handle, number)
            raise
        if self.is_over:  # closed meanwhile
            self._release()

    return call


def taking_back(detach: Callable[..., int]) -> Callable[..., int]:
    """detach(), after which the object has the descriptor again if an exception of a signal handler ends it."""

    @wraps(detach)
    def call(self: Any, *arguments: Any, **keywords: Any) -> int:
        node, sock = self._node, getattr(self, "_socket", None)
        number = -1 if sock is None else sock.fileno()
        file = identity_of(number)
        try:
            return detach(self, *arguments, **keywords)
        except LifecycleError:
            raise
        except BaseException:
            if sock is not None and file is not None and file == identity_of(number):
                if sock.fileno() == -1:
                    own(sock, number)
                    sock.setblocking(False)
                self._moves(self._node, node)
            raise

    return call


def handing_over(receive: Callable[..., Any]) -> Callable[..., Any]:
    """receive_handles(), which gives the program what has arrived; until then it closes its descriptors when it goes away."""
    if iscoroutinefunction(receive):

        @wraps(receive)
        async def call_awaited(*arguments: Any, **keywords: Any) -> Any:
            came = await receive(*arguments, **keywords)
            if came.__class__ is Arrived:
                found = came.data, came.handles
                came.is_given = True
                return found
            return came

        return call_awaited

    @wraps(receive)
    def call(*arguments: Any, **keywords: Any) -> Any:
        came = receive(*arguments, **keywords)
        if came.__class__ is Arrived:
            found = came.data, came.handles
            came.is_given = True
            return found
        return came

    return call


PLAIN_METHODS = (
    "send", "sendall", "sendto", "sendmsg", "recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into",
    "shutdown",
)  # fmt: skip
"""The methods by which a socket.socket sends and receives"""


def refuse_own_way(handle: socket.socket) -> None:
    """TypeError for a socket that does more with its descriptor than a plain one, which would be lost here."""
    if type(handle) is socket.socket:
        return
    own = [
        name
        for name in PLAIN_METHODS
        if (method := getattr(type(handle), name, None)) is not None
        and method is not getattr(socket.socket, name, None)
        and (getattr(method, "__module__", None) or "").partition(".")[0] not in ("lifecycle", "socket", "_socket")
    ]
    if own:
        raise TypeError(
            f"a {type(handle).__name__} has {own[0]}() of its own, and attach() takes only the descriptor: what it adds, like "
            "encryption, would be lost; attach the plain socket, and call start_tls() for TLS"
        )


OWNERSHIP: Mapping[str, Callable[[Any], Any]] = {
    words.ATTACH.name: giving_back,
    words.DETACH.name: taking_back,
    words.RECEIVE_HANDLES.name: handing_over,
}
"""A call that hands descriptors over -> its wrapper, which gives them an owner however the call ends"""
