"""The drop-in socket: the methods that stand in `socket.socket` while something is checked.

They are put into the standard library's own class rather than into a subclass of it: every socket is checked then, whenever
the program has imported the class, by whatever name, and its type, name, slots and subclasses stay what they are. A subclass
would have to come before `ssl`, `asyncio` and every `from socket import socket`.

The frequent calls are generated, flat, with the parameters of the usual case; arguments that the original would refuse are
handed to the original as they are, so that it refuses them in its own words. An exception leaves nothing of the program's
behind in the frames of the checker: a traceback that is kept must not keep a socket open.
"""

from __future__ import annotations

import _socket
import linecache
import socket
import sys
import threading
from functools import cache
from types import CodeType, FunctionType
from typing import Any, Final, NamedTuple

from lifecycle.checking import calls
from lifecycle.checking.calls import ABSENT, MISSING
from lifecycle.checking.racing import WATCHED
from lifecycle.checking.registry import register, track_of


class Frequent(NamedTuple):
    """A frequent call: its parameters, with their defaults; how it hands them on; and when its result is the usual one."""

    parameters: str
    arguments: str
    usual: str = "True"


_BUFFER = "buffer=MISSING, nbytes=ABSENT, flags=ABSENT, /", "buffer, nbytes, flags"

FREQUENT_CALLS = {
    "recv": Frequent("bufsize=MISSING, flags=ABSENT, /", "bufsize, flags", "result"),
    "recvfrom": Frequent("bufsize=MISSING, flags=ABSENT, /", "bufsize, flags", "result[0]"),
    "recv_into": Frequent(*_BUFFER, "result"),
    "recvfrom_into": Frequent(*_BUFFER, "result[0]"),
    "recvmsg": Frequent("bufsize=MISSING, ancbufsize=ABSENT, flags=ABSENT, /", "bufsize, ancbufsize, flags", "result[0]"),
    "send": Frequent("data=MISSING, flags=ABSENT, /", "data, flags"),
    "sendall": Frequent("data=MISSING, flags=ABSENT, /", "data, flags"),
    "sendto": Frequent("data=MISSING, address=MISSING, /", "data, address"),
    "sendmsg": Frequent("buffers=MISSING, /", "buffers"),
}

_FREQUENT_SOURCE = """\
def {name}(self, {parameters}, *rest, **keywords):
    try:
        track = self._closed
        quiet = track.{name}
    except AttributeError:
        quiet = False
    try:
        if quiet and {last} is not MISSING and not rest and not keywords:
            result = original(self, {arguments})
            if {usual} and track.{name}:
                return result
            quiet = False
            settled_quietly(track, {name!r}, ({arguments},), result)
            return result
        quiet = False
        return checked(self, {name!r}, original, given(({arguments},), rest), keywords)
    except BaseException as error:
        if quiet:
            failed_quietly(track, {name!r}, error)
        del self, {arguments}, rest, keywords
        track = result = None
        raise
"""

_PLAIN_SOURCE = """\
def {name}(self, /, *arguments, **keywords):
    try:
        return checked(self, {call!r}, original, arguments, keywords)
    except BaseException:
        del self, arguments, keywords
        raise
"""

_SOURCES = {
    "__init__": """\
def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
    try:
        original(self, family, type, proto, fileno)
        register(self, fileno, getframe(1))
    except BaseException:
        del self, fileno
        raise
""",
    "_accept": """\
def _accept(self, /, *arguments, **keywords):
    try:
        result = checked(self, "accept", original, arguments, keywords)
        accepted(self, result[0])
        return result
    except BaseException:
        del self, arguments, keywords
        raise
""",
    "dup": """\
def dup(self):
    try:
        other = checked(self, "dup", original, (), {})
        doubled(self, other)
        return other
    except BaseException:
        del self
        raise
""",
    "detach": """\
def detach(self):
    track = track_of(self)
    number = original(self)
    detached(track, number)
    return number
""",
    "fileno": """\
def fileno(self, /, *arguments, **keywords):
    try:
        track = self._closed
        if track.curious:
            asked_for_descriptor(track)
    except AttributeError:
        pass
    return original(self, *arguments, **keywords)
""",
    "_real_close": """\
def _real_close(self, *arguments, **keywords):
    attempt = closing(self)
    try:
        return original(self, *arguments, **keywords)
    except OSError as error:
        if attempt is not None:
            attempt.look_behind(error.errno)
        del self, arguments, keywords
        raise
    finally:
        attempt = None
""",
}

_PLAIN = {
    "_sendfile_use_sendfile": "sendfile",
    **{
        name: name
        for name in ("bind", "listen", "connect", "connect_ex", "recvmsg_into", "shutdown", "getsockname", "getpeername",
                     "getsockopt", "setsockopt", "settimeout", "setblocking")
    },
}  # fmt: skip
"""method -> the call that it makes"""

_WAITING = {**{name: name for name in FREQUENT_CALLS}, **_PLAIN, "_accept": "accept"}
"""method -> the call by which a thread may be inside the system"""

_NAMES: dict[str, Any] = {
    "ABSENT": ABSENT,
    "MISSING": MISSING,
    "accepted": calls.accepted,
    "asked_for_descriptor": calls.asked_for_descriptor,
    "checked": calls.checked,
    "closing": calls.closing,
    "detached": calls.detached,
    "doubled": calls.doubled,
    "failed_quietly": calls.failed_quietly,
    "getframe": sys._getframe,
    "given": calls.given,
    "register": register,
    "settled_quietly": calls.settled_quietly,
    "track_of": track_of,
}

_ABSENT: Final = object()

_replaced: dict[str, tuple[FunctionType, Any]] = {}  # name -> the watched method, and what stood there before
_lock = threading.Lock()


def install() -> None:
    """Put the watched methods into the standard library's socket; does nothing where they are."""
    with _lock:
        if not _replaced:
            socket_class = standard_socket()
            for name, code in _watched_code().items():
                if hasattr(socket_class, name):  # not every system has every method
                    function = _made(name, code, getattr(socket_class, name))
                    _replaced[name] = (function, socket_class.__dict__.get(name, _ABSENT))
                    setattr(socket_class, name, function)


def uninstall() -> None:
    """Give the standard library's socket its own methods back, but for one that the program has exchanged meanwhile."""
    with _lock:
        socket_class = standard_socket()
        for name, (function, former) in _replaced.items():
            if socket_class.__dict__.get(name) is function:
                if former is _ABSENT:
                    delattr(socket_class, name)
                else:
                    setattr(socket_class, name, former)
        _replaced.clear()
        WATCHED.clear()


def standard_socket() -> type[socket.socket]:
    """The standard library's own class, also where something has put another one in its place (gevent, eventlet)."""
    for each in _socket.socket.__subclasses__():
        if (each.__module__, each.__qualname__) == ("socket", "socket"):
            return each  # type: ignore[return-value]
    return socket.socket


@cache
def _watched_code() -> dict[str, CodeType]:
    """method -> the code that defines its watched form."""
    sources = dict(_SOURCES)
    sources |= {name: _frequent_source(name, shape) for name, shape in FREQUENT_CALLS.items()}
    sources |= {name: _PLAIN_SOURCE.format(name=name, call=call) for name, call in _PLAIN.items()}
    return {name: _compiled(name, source) for name, source in sources.items()}


def _frequent_source(name: str, shape: Frequent) -> str:
    required = [each.partition("=")[0] for each in shape.parameters.split(", ") if each.endswith("=MISSING")]
    return _FREQUENT_SOURCE.format(
        name=name, parameters=shape.parameters, arguments=shape.arguments, usual=shape.usual, last=required[-1]
    )


def _compiled(name: str, source: str) -> CodeType:
    filename = f"<lifecycle checking {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return compile(source, filename, "exec")


def _made(name: str, code: CodeType, original: Any) -> FunctionType:
    namespace: dict[str, Any] = {**_NAMES, "__name__": "socket", "original": original}
    exec(code, namespace)
    function: FunctionType = namespace[name]
    function.__code__ = function.__code__.replace()  # its own: the interpreter fits code to the names of one function
    function.__qualname__ = f"socket.{name}"
    function.__doc__ = original.__doc__
    if name in _WAITING:
        WATCHED[function.__code__] = _WAITING[name]
    return function
