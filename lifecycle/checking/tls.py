"""TLS over sockets: calls of `ssl.SSLSocket` in an order that loses data, its end, or its protection.

No data is kept: of a message only whether it was a close_notify, and of data that has to be sent again its size and a hash.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from lifecycle.checking import checkers, losses, registry, tls_readers
from lifecycle.checking.call_sites import CallSite, FileKind, call_site, kind_of
from lifecycle.checking.handed import entry_site, named_site
from lifecycle.checking.registry import track_of
from lifecycle.checking.replacements import Replacements
from lifecycle.roles.python import tls_hazards as hazards
from lifecycle.roles.python.hazards import Hazard
from lifecycle.roles.python.words import RECEIVING, SENDING
from lifecycle.roles.words import ACCEPT, CONNECT, DETACH

LONG = 0.9  # seconds after which a waiting call counts as one that was not meant to wait
_ALERT, _READ, _CLOSE_NOTIFY = 21, "read", 0

_replacements = Replacements()


class Secured:
    """The state of one SSLSocket.

    is_dropped: shutdown() has ended TLS, and this was not reported yet. has_failed: its handshake has. is_ending: unwrap() was
    called. notified: the peer has sent close_notify. is_readable: a wait has said that the descriptor is. retry: size and hash
    of data that has to be sent again. inside: the threads that send (True) and receive (False) now. waits: the receive that
    waits now: its name and place, and since when.
    """

    __slots__ = (
        "has_failed", "inside", "is_detached", "is_dropped", "is_ending", "is_readable", "notified", "received", "retry",
        "sent", "waits",
    )  # fmt: skip

    def __init__(self) -> None:
        self.is_dropped = self.has_failed = self.is_detached = self.is_ending = self.is_readable = self.notified = False
        self.received = self.sent = False
        self.retry: tuple[int, int] | None = None
        self.inside: dict[bool, int] = {}
        self.waits: tuple[str, CallSite, float] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the end of the data is expected."""
        return self.notified or self.has_failed or self.is_ending


on_rest: list[Callable[[Any], None]] = []
"""the functions that are called when a receive leaves data of its SSLSocket in TLS"""

_secured: WeakKeyDictionary[Any, Secured] = WeakKeyDictionary()
_sessions: dict[int, tuple[Any, CallSite]] = {}
_KEPT = 16  # sessions


def of(sock: Any) -> Secured:
    """The state of an SSLSocket or SSLObject."""
    known = _secured.get(sock)
    if known is None:
        known = _secured[sock] = Secured()
    return known


def report(hazard: Hazard, sock: Any, call: str, place: CallSite) -> None:
    """Report a hazard of a connection."""
    checkers.report_hazard(hazard, track_of(sock) if isinstance(sock, socket.socket) else None, call, place)


def is_own(frame: FrameType | None) -> bool:
    """Whether the program itself makes the call, rather than a library."""
    while frame is not None and kind_of(frame.f_code.co_filename) is FileKind.INTERNAL:
        frame = frame.f_back
    return frame is not None and kind_of(frame.f_code.co_filename) is FileKind.PROGRAM


def listen_to(context: Any) -> None:
    """Receive the alerts of the context's connections, unless the program does."""
    hook: Any = ssl.SSLContext.__base__.__dict__.get("_msg_callback")
    if hook is not None and hook.__get__(context) is None:
        hook.__set__(context, _told)


def _told(connection: Any, direction: str, version: int, content: int, message: int, data: bytes) -> None:
    if content == _ALERT and direction == _READ and data[-1:] == bytes([_CLOSE_NOTIFY]):
        of(connection).notified = True


def _created(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def _create(cls: Any, sock: Any, *arguments: Any, **keywords: Any) -> Any:
        frame = sys._getframe(1)
        session = keywords.get("session")
        if session is not None and not session.has_ticket and id(session) in _sessions:
            report(hazards.SESSION_TOO_EARLY, sock, "wrap_socket", _sessions[id(session)][1])
        context = keywords.get("context")
        if context is not None:
            listen_to(context)
            if context.verify_mode is ssl.CERT_NONE and not keywords.get("server_side"):
                report(hazards.UNVERIFIED, sock, "wrap_socket", call_site(frame))
        track = track_of(sock)
        if track is not None and tls_readers.holds_plain_data(track):
            report(hazards.PLAIN_LEFT, sock, "wrap_socket", call_site(frame))
        waits_for_nothing = sock.gettimeout() == 0 and keywords.get("do_handshake_on_connect", True)
        if isinstance(sock, ssl.SSLSocket) and sock._sslobj is not None:  # type: ignore[attr-defined]
            report(hazards.ORDER, sock, "wrap_socket", call_site(frame))
        try:
            made = original.__func__(cls, sock, *arguments, **keywords)  # type: ignore[attr-defined]
            registry.join_others(made)
            return made
        except ValueError:
            if waits_for_nothing:
                report(hazards.ORDER, sock, "wrap_socket", call_site(frame))
            del sock, arguments, keywords
            raise

    return classmethod(_create)


def _watch_below() -> None:
    """Two objects have the same descriptor: look at their next calls, in case that one of them carries TLS."""
    if _below not in losses.receivers:
        losses.receivers.append(_below)
    registry.record_next_calls()


def _below(ended: losses.Ended) -> None:
    """A call on a socket: data below TLS, where another object over the same descriptor has TLS."""
    group, sock = ended.track.group, ended.track()
    if group is not None and ended.row in (*RECEIVING, *SENDING) and not isinstance(sock, ssl.SSLSocket):
        others = (each() for each in group.values() if each is not ended.track)
        if any(isinstance(each, ssl.SSLSocket) and each._sslobj is not None and not of(each).is_ending for each in others):  # type: ignore[attr-defined]
            losses.report(hazards.UNDER_TLS, ended)


def _shut(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def shutdown(self: Any, how: int) -> Any:
        if self._sslobj is not None and self._sslobj.version() is not None:
            of(self).is_dropped = True
            of(self).is_ending |= how != socket.SHUT_WR  # the end that is received then is the program's own
            if how != socket.SHUT_RDWR and is_own(sys._getframe(1)):
                of(self).is_dropped = False  # its consequences are not reported again
                report(hazards.DROPPED, self, "shutdown", named_site(sys._getframe(1), "shutdown"))
        return original(self, how)

    return shutdown


def _data(original: Callable[..., Any], *, sends: bool) -> Any:
    name = original.__name__

    @wraps(original)
    def watched(self: Any, *arguments: Any, **keywords: Any) -> Any:
        known, frame, me = of(self), sys._getframe(1), threading.get_ident()
        if known.inside.get(sends) == me:  # sendall() sends
            return original(self, *arguments, **keywords)
        if self._sslobj is None:
            return _in_the_clear(self, known, sends, frame, original, arguments, keywords)
        if known.has_failed or known.is_detached:
            report(hazards.ORDER, self, name, named_site(frame, name))
        if sends in known.inside and is_own(frame):
            report(hazards.RACE, self, name, entry_site(frame))
        if sends and known.retry is not None and arguments and not _goes_on(arguments[0], known.retry):
            report(hazards.CHANGED_RETRY, self, name, named_site(frame, name))
        known.inside[sends] = me
        if known.is_readable and not sends and self.gettimeout() is None:
            known.waits = (name, named_site(frame, name), time.monotonic())
        known.retry = None
        try:
            result = original(self, *arguments, **keywords)
            size = _size(arguments)
        except ssl.SSLWantWriteError:
            if sends and arguments:
                known.retry = _mark(arguments[0])
            raise
        finally:
            known.inside.pop(sends, None)
            if known.waits is not None and not sends:
                _judge_wait(self, known)
            known.is_readable = known.is_readable and sends
            del arguments, keywords
        if sends:
            known.sent |= size > 0
        elif result:
            known.received = True
            for told in on_rest if self._sslobj is not None and self._sslobj.pending() else ():
                told(self)
        elif size and self.suppress_ragged_eofs and is_own(frame) and not known.is_over:
            report(hazards.TRUNCATED, self, name, named_site(frame, name))
        return result

    return watched


def _in_the_clear(
    sock: Any, known: Secured, sends: bool, frame: Any, original: Callable[..., Any], arguments: Any, keywords: Any
) -> Any:
    """Data on a socket without TLS: a mistake where shutdown() has dropped TLS, unless a receive finds the end."""
    name, place = original.__name__, named_site(frame, original.__name__)
    if known.is_dropped and sends:
        report(hazards.PLAIN_AFTER, sock, name, place)
    result = original(sock, *arguments, **keywords)
    if known.is_dropped and not sends and result:
        report(hazards.PLAIN_AFTER, sock, name, place)
    return result


def _size(arguments: tuple[Any, ...]) -> int:
    """The number of bytes that a call is given or requests; 1 if it does not say."""
    first, second = (*arguments, None, None)[:2]
    if isinstance(second, int) and second:
        return second
    return first if isinstance(first, int) else 1 if first is None else memoryview(first).nbytes


def _mark(data: Any, most: int = 64) -> tuple[int, int]:
    with memoryview(data) as view:
        return view.nbytes, hash(bytes(view.cast("B")[: min(most, 64)]))


def _goes_on(data: Any, retry: tuple[int, int]) -> bool:
    """Whether the data is that of the send which was not finished, perhaps with more behind it, which OpenSSL takes."""
    size, begin = _mark(data, retry[0])
    return size >= retry[0] and begin == retry[1]


def _judge_wait(sock: Any, known: Secured) -> None:
    waits, known.waits = known.waits, None
    if waits is not None and time.monotonic() - waits[2] > LONG:
        report(hazards.BLOCKING_AFTER_WAIT, sock, waits[0], waits[1])


def judge_waits() -> None:
    """Report, at the end of a check, the receives that wait although the descriptor was readable."""
    for sock, known in list(_secured.items()):
        _judge_wait(sock, known)


def _asked(original: Callable[..., Any]) -> Any:
    name = original.__name__

    @wraps(original)
    def watched(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if self._sslobj is not None and self._sslobj.version() is None and is_own(sys._getframe(1)):
            report(hazards.ORDER, self, name, named_site(sys._getframe(1), name))
        return original(self, *arguments, **keywords)

    return watched


def _handshaken(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def do_handshake(self: Any, *arguments: Any, **keywords: Any) -> Any:
        known = of(self)
        if known.has_failed:
            report(hazards.ORDER, self, "do_handshake", named_site(sys._getframe(1), "do_handshake"))
        try:
            return original(self, *arguments, **keywords)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            known.has_failed = True
            raise

    return do_handshake


def _unwrapped(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def unwrap(self: Any) -> Any:
        known, place, began = of(self), named_site(sys._getframe(1), "unwrap"), time.monotonic()
        known.is_ending = True
        if known.has_failed:
            report(hazards.ORDER, self, "unwrap", place)
        if self._sslobj is not None and self._sslobj.pending():
            report(hazards.UNREAD, self, "unwrap", place)
        is_bounded = self.gettimeout() is not None
        try:
            return original(self)
        except ssl.SSLError as error:
            if "APPLICATION_DATA_AFTER_CLOSE_NOTIFY" in str(error.reason):
                report(hazards.UNREAD, self, "unwrap", place)
            raise
        finally:
            if not is_bounded and time.monotonic() - began > LONG:
                report(hazards.UNBOUNDED, self, "unwrap", place)

    return unwrap


def _closed(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def close(self: Any) -> Any:
        known, sslobj, frame = of(self), self._sslobj, sys._getframe(1)
        if sslobj is not None and not known.has_failed and not self.server_side and sslobj.version() and is_own(frame):
            if known.sent and not known.received and sslobj.version() == "TLSv1.3":
                report(hazards.MAY_RESET, self, "close", call_site(frame))
            elif not known.received:
                report(hazards.UNCONFIRMED, self, "close", call_site(frame))
            else:
                report(hazards.NO_CLOSE_NOTIFY, self, "close", call_site(frame))
        return original(self)

    return close


def _accepted(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def accept(self: Any) -> Any:
        track = track_of(self)
        if self.do_handshake_on_connect and track is not None:
            report(hazards.IN_ACCEPT, self, ACCEPT.name, track.made)
        return original(self)

    return accept


def _connected(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def _real_connect(self: Any, *arguments: Any) -> Any:
        if self._connected or self._sslobj is not None:
            report(hazards.ORDER, self, CONNECT.name, named_site(sys._getframe(1), CONNECT.name))
        return original(self, *arguments)

    return _real_connect


def _detached(original: Callable[..., Any]) -> Any:
    @wraps(original)
    def detach(self: Any) -> Any:
        of(self).is_detached = self._sslobj is not None
        return original(self)

    return detach


def _session(original: Any) -> Any:
    def session(self: Any) -> Any:
        found = original.__get__(self)
        if found is not None and not found.has_ticket:
            _sessions[id(found)] = found, call_site(sys._getframe(1))
            if len(_sessions) > _KEPT:
                del _sessions[next(iter(_sessions))]
        return found

    return property(session, original.fset, original.fdel, original.__doc__)


_ASKED = ("getpeercert", "selected_alpn_protocol", "version", "cipher", "get_channel_binding")
"""the queries that have an answer only after the handshake"""


def install() -> None:
    """Watch `ssl`, which the program has loaded."""
    kind = ssl.SSLSocket
    _replacements.wrap(kind, "_create", _created)
    for name, make in (
        ("shutdown", _shut), ("do_handshake", _handshaken), ("unwrap", _unwrapped), ("close", _closed),
        (ACCEPT.name, _accepted), ("_real_connect", _connected), (DETACH.name, _detached), ("session", _session),
    ):  # fmt: skip
        _replacements.wrap(kind, name, make)
    registry.on_twin.append(_watch_below)
    for name in ("send", "sendall"):
        _replacements.wrap(kind, name, lambda original: _data(original, sends=True))
    for name in ("recv", "recv_into", "read"):
        _replacements.wrap(kind, name, lambda original: _data(original, sends=False))
    for name in _ASKED:
        _replacements.wrap(kind, name, _asked)


def uninstall() -> None:
    """Restore what was replaced."""
    judge_waits()
    registry.on_twin.clear()
    _replacements.restore()
    _sessions.clear()
