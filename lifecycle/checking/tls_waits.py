"""Waits for the descriptor of a TLS connection that has data already, for which it does not become readable."""

from __future__ import annotations

import selectors
import ssl
from collections.abc import Iterable
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary, ref

from lifecycle.checking import registered, tls, waiting
from lifecycle.checking.call_sites import call_site
from lifecycle.roles.python import tls_hazards as hazards

_rests: WeakKeyDictionary[Any, dict[int, ref[Any]]] = WeakKeyDictionary()
"""selector -> the connections, by their descriptors, of which data was in TLS after the last receive"""


def install() -> None:
    """Begin to be notified of each wait, and of data that a receive leaves."""
    tls.on_rest.append(_note_rest)
    waiting.begin_with_tls(_Watcher)


def uninstall() -> None:
    """Stop watching."""
    waiting.begin_with_tls(None)
    tls.on_rest.clear()
    _rests.clear()


class _Watcher:
    """Receives the events of `waiting`. timeout: that of the wait; with 0 the program only polls."""

    @staticmethod
    def begins(things: object, timeout: float | None, frame: FrameType) -> None:
        """select() begins to wait until one of these can be read."""
        if timeout != 0 and isinstance(things, (list, tuple)):
            _judge((each for each in things if isinstance(each, ssl.SSLSocket)), "select", frame)

    @staticmethod
    def selects(selector: Any, call: str, timeout: float | None, frame: FrameType) -> None:
        """The selector begins to wait."""
        rests = _rests.pop(selector, None)
        if rests is not None and timeout != 0:
            found = (each() for number, each in rests.items() if _is_read(selector, number))
            _judge((sock for sock in found if sock is not None), call, frame)

    @staticmethod
    def ended(readable: list[Any]) -> None:
        """select() has returned these as readable."""
        for sock in readable:
            if isinstance(sock, ssl.SSLSocket):
                tls.of(sock).is_readable = True


def _judge(waited_for: Iterable[ssl.SSLSocket], call: str, frame: FrameType) -> None:
    for sock in waited_for:
        if sock.fileno() != -1 and sock.pending() and tls.is_own(frame):
            tls.report(hazards.WAIT_WITH_PENDING, sock, call, call_site(frame))


def _note_rest(sock: ssl.SSLSocket) -> None:
    """A receive has left data in TLS: the next wait of each selector that has the socket is judged."""
    number = sock.fileno()
    for found in tuple(registered.in_use.values()):
        selector = found()
        if selector is not None and _is_read(selector, number):
            _rests.setdefault(selector, {})[number] = ref(sock)
            registered.watch_next_use(selector)


def _is_read(selector: Any, number: int) -> bool:
    """Whether the selector waits until the descriptor can be read."""
    entry: Any = registered.entry_of(selector, number)
    return entry is not None and bool(entry.events & selectors.EVENT_READ)
