"""TLS over memory: what a program does with `ssl.SSLObject` and its two MemoryBIO, and what asyncio's streams do not show.

Only objects that the program itself has made are followed; a library's own (asyncio's) are its business.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from lifecycle.checking import losses, registry, tls
from lifecycle.checking.call_sites import CallSite, call_site
from lifecycle.checking.guards import caught_at
from lifecycle.checking.replacements import Replacements
from lifecycle.roles.python import tls_hazards as hazards
from lifecycle.roles.python.words import RECEIVING

_IN_A_ROW = 3  # the number of times that TLS may want to read while nothing new has arrived

_NO_PEER = (ssl.SSLWantWriteError, ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""errors that leave no alert to send: the peer has ended. Before Python 3.13 a second read raises SSLSyscallError"""

_replacements = Replacements()


class Memory:
    """The two memories of an SSLObject. wants: how often in a row it wanted to read, with nothing there."""

    __slots__ = ("incoming", "outgoing", "wants")

    def __init__(self, incoming: Any, outgoing: Any) -> None:
        self.incoming, self.outgoing, self.wants = incoming, outgoing, 0


_memories: WeakKeyDictionary[Any, Memory] = WeakKeyDictionary()
_failed: list[tuple[Any, CallSite, str]] = []
_left: list[Any] = []


def _created(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def _create(cls: Any, incoming: Any, outgoing: Any, *arguments: Any, **keywords: Any) -> Any:
        context = keywords.get("context")
        if context is not None:
            tls.listen_to(context)
        made = original.__func__(cls, incoming, outgoing, *arguments, **keywords)  # type: ignore[attr-defined]
        if tls.is_own(sys._getframe(1)):
            _memories[made] = Memory(incoming, outgoing)
        return made

    return classmethod(_create)


def _used(original: Callable[..., Any], *, ends: bool = False) -> Any:
    name = original.__name__

    @wraps(original)
    def watched(self: Any, *arguments: Any, **keywords: Any) -> Any:
        memory = _memories.get(self)
        if memory is None:
            return original(self, *arguments, **keywords)
        memory.wants = 0 if memory.incoming.pending or memory.incoming.eof else memory.wants + 1
        try:
            result = original(self, *arguments, **keywords)
        except ssl.SSLWantReadError:
            if memory.wants == _IN_A_ROW:
                tls.report(hazards.END_NOT_TOLD, self, name, losses.end_site() or call_site(sys._getframe(1)))
            raise
        except _NO_PEER:
            raise
        except ssl.SSLError as error:
            if memory.outgoing.pending:
                frame = sys._getframe(1)
                _failed.append((memory.outgoing, caught_at(frame, type(error)) or call_site(frame), name))
            raise
        if ends and memory.incoming.pending:
            _left.append(memory.incoming)
            losses.receivers.append(_received)
            registry.record_next_calls()
        return result

    return watched


def _received(ended: losses.Ended) -> None:
    """A plain receive, after TLS has ended with data left in its memory."""
    if ended.row in RECEIVING and not hasattr(ended.track(), "_sslobj"):
        losses.receivers.remove(_received)
        if _left.pop().pending:
            losses.report(hazards.LEFT_OVER_LOST, ended)


def judge() -> None:
    """Report, at the end of a check, the alerts that were never sent."""
    while _failed:
        outgoing, place, name = _failed.pop()
        if outgoing.pending:
            tls.report(hazards.ALERT_LEFT, None, name, place)


def install() -> None:
    """Watch SSLObject."""
    _replacements.wrap(ssl.SSLObject, "_create", _created)
    for name in ("do_handshake", "read", "write"):
        _replacements.wrap(ssl.SSLObject, name, _used)
    _replacements.wrap(ssl.SSLObject, "unwrap", lambda original: _used(original, ends=True))


def uninstall() -> None:
    """Restore what was replaced."""
    judge()
    _replacements.restore()
    _left.clear()
    losses.receivers.clear()
    losses.forget()
