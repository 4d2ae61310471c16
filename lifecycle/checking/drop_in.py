"""The drop-in socket: the methods that replace those of `socket.socket` while something is checked.

They are set in the standard library's own class, not in a subclass: so every socket is checked, whenever and under whatever
name the program has imported the class, and its type, name, slots and subclasses stay the same. A subclass would have to be
there before `ssl`, `asyncio` and every `from socket import socket`.

The methods are generated. The frequent ones are flat, with the parameters of the usual case; arguments that the original
would refuse are passed to it as they are, so that its error message stays the same. An exception leaves none of the
program's objects in the checker's frames: a traceback that is kept must not keep a socket open.
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

from lifecycle.checking import losses, observe
from lifecycle.checking.concurrent_close import WATCHED
from lifecycle.checking.observe import ABSENT, MISSING
from lifecycle.checking.outcomes import RESULTS
from lifecycle.checking.registry import accepted, filed, register, track_of
from lifecycle.roles.options import has_a_time
from lifecycle.roles.python.words import SETS_OPTION, UNNOTED


class Frequent(NamedTuple):
    """A frequent call: its parameters and defaults, the arguments that it passes on, and when its result is the usual one.

    sized: a further condition for the usual result.
    """

    parameters: str
    arguments: str
    usual: str = "True"
    sized: str = "True"


_BUFFER = "buffer=MISSING, nbytes=ABSENT, flags=ABSENT, /", "buffer, nbytes, flags"

FREQUENT_CALLS = {
    "recv": Frequent("bufsize=MISSING, flags=ABSENT, /", "bufsize, flags", "result"),
    "recvfrom": Frequent("bufsize=MISSING, flags=ABSENT, /", "bufsize, flags", "result[0]"),
    "recv_into": Frequent(*_BUFFER, "result"),
    "recvfrom_into": Frequent(*_BUFFER, "result[0]"),
    "recvmsg": Frequent("bufsize=MISSING, ancbufsize=ABSENT, flags=ABSENT, /", "bufsize, ancbufsize, flags", "result[0]"),
    "send": Frequent(
        "data=MISSING, flags=ABSENT, /",
        "data, flags",
        "(data.__class__ not in SIZED or result == len(data))",
        "data.__class__ in SIZED",
    ),
    "sendall": Frequent("data=MISSING, flags=ABSENT, /", "data, flags"),
    "sendto": Frequent("data=MISSING, address=MISSING, /", "data, address"),
    "sendmsg": Frequent("buffers=MISSING, /", "buffers", "took_all(buffers, result)"),
}

_FREQUENT_SOURCE = """\
def {name}(self, {parameters}, *rest, **keywords):
    try:
        track = self._closed
        at = track.at
        quiet = at.{name}
    except AttributeError:
        quiet = at = None
    after = None
    try:
        if {last} is not MISSING and not rest and not keywords:
            if quiet:
                result = original(self, {arguments})
                if {usual} and track.at.{name}:
                    return result
                quiet = False
                finish_silently(track, {name!r}, ({arguments},), result)
                return result
            if at is not None:
                after = at.steps[{name!r}]
                if after is not None:
                    result = original(self, {arguments})
                    if {usual} and {sized} and track.at is at and not receivers:
                        track.step({name!r}, after)
                    else:
                        finish_at_once(track, at, {name!r}, ({arguments},), result, getframe())
                    return result
        quiet = False
        arguments, simple = ({arguments}, *rest), {last} is not MISSING and not keywords
        return checked(self, {name!r}, original, arguments if simple else given(arguments), keywords)
    except BaseException as error:
        if quiet:
            fail_silently(track, {name!r}, error)
        elif after is not None:
            fail_at_once(track, at, {name!r}, getframe(), ({arguments},), error)
        del self, {arguments}, rest, keywords
        track = result = arguments = None
        raise
"""

_SINGLE_SOURCE = """\
def {name}(self, value=MISSING, /, *rest, **keywords):
    try:
        track = self._closed
        at = track.at
        after = at.steps[{name!r}]
    except AttributeError:
        after = None
    try:
        if after is not None and value is not MISSING and not rest and not keywords:
            result = original(self, value)
            if {is_plain} and after is not at and track.at is at and not receivers:
                track.step({name!r}, after)
            else:
                finish_at_once(track, at, {name!r}, (value,), result, getframe())
            return result
        after = None
        return checked(self, {name!r}, original, given((value, *rest)), keywords)
    except BaseException as error:
        if after is not None:
            fail_at_once(track, at, {name!r}, getframe(), (value,), error)
        del self, value, rest, keywords
        track = result = None
        raise
"""

_UNNOTED_SOURCE = """\
def {name}(self, /, *arguments, **keywords):
    try:
        track = self._closed
        at = track.at
        quiet = {name!r} in at.state.silent{unless}
    except AttributeError:
        quiet = False
    try:
        if quiet:
            return original(self, *arguments, **keywords)
        return checked(self, {name!r}, original, arguments, keywords)
    except BaseException as error:
        if quiet:
            fail_at_once(track, at, {name!r}, getframe(), arguments, error)
        del self, arguments, keywords
        track = None
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
        register(self, (family, type, proto), fileno)
    except BaseException:
        del self, fileno
        raise
""",
    "_accept": """\
def _accept(self, /, *arguments, **keywords):
    try:
        track = self._closed
        at = track.at
        quiet = at.accept
    except AttributeError:
        quiet = False
    try:
        if quiet:
            result = original(self, *arguments, **keywords)
            accepted[result[0]] = track
        else:
            result = checked(self, "accept", original, arguments, keywords)
            note_accepted(self, result[0])
        return result
    except BaseException as error:
        if quiet:
            fail_at_once(track, at, "accept", getframe(), arguments, error)
        del self, arguments, keywords
        track = None
        raise
""",
    "dup": """\
def dup(self):
    try:
        other = checked(self, "dup", original, (), {})
        duplicated(self, other)
        return other
    except BaseException:
        del self
        raise
""",
    "makefile": """\
def makefile(self, /, *arguments, **keywords):
    result = original(self, *arguments, **keywords)
    filed(self, result)
    return result
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
        if track.at.curious:
            descriptor_requested(track)
    except AttributeError:
        pass
    return original(self, *arguments, **keywords)
""",
    "_real_close": """\
def _real_close(self, *arguments, **keywords):
    track = closing(self)
    try:
        return original(self, *arguments, **keywords)
    except OSError as error:
        if track is not None:
            close_failed(track, error.errno)
        del self, arguments, keywords
        raise
""",
}

_PLAIN = {"_sendfile_use_sendfile": "sendfile", "recvmsg_into": "recvmsg_into"}
"""method -> the call that it makes"""

_SINGLE = ("bind", "listen", "connect", "connect_ex", "shutdown", "settimeout", "setblocking")
"""the methods with one argument"""

_WAITING = {**{name: name for name in (*FREQUENT_CALLS, *UNNOTED, *_SINGLE)}, **_PLAIN, "_accept": "accept"}
"""method -> the call by which a thread may be in the kernel"""

_NAMES: dict[str, Any] = {
    "ABSENT": ABSENT,
    "MISSING": MISSING,
    "accepted": accepted,
    "descriptor_requested": observe.descriptor_requested,
    "checked": observe.checked,
    "close_failed": observe.close_failed,
    "closing": observe.closing,
    "detached": observe.detached,
    "duplicated": observe.duplicated,
    "SIZED": losses.SIZED,
    "fail_at_once": observe.fail_at_once,
    "fail_silently": observe.fail_silently,
    "filed": filed,
    "getframe": sys._getframe,
    "given": observe.given,
    "note_accepted": observe.note_accepted,
    "receivers": losses.receivers,
    "has_a_time": has_a_time,
    "register": register,
    "finish_at_once": observe.finish_at_once,
    "finish_silently": observe.finish_silently,
    "took_all": losses.took_all,
    "track_of": track_of,
}

_ABSENT: Final = object()

_replaced: dict[str, tuple[FunctionType, Any]] = {}  # name -> the watched method, and what it replaced
_made_before: dict[str, tuple[Any, FunctionType]] = {}  # name -> a method of the class, and the watched one over it
_lock = threading.Lock()


def install() -> None:
    """Set the watched methods in the standard library's socket; does nothing where they are set."""
    with _lock:
        if not _replaced:
            socket_class = standard_socket()
            for name, code in _watched_code().items():
                if hasattr(socket_class, name):  # not every system has every method
                    function = _watched(name, code, getattr(socket_class, name))
                    _replaced[name] = (function, socket_class.__dict__.get(name, _ABSENT))
                    setattr(socket_class, name, function)


def uninstall() -> None:
    """Restore the methods of the standard library's socket, except one that the program has replaced meanwhile."""
    with _lock:
        socket_class = standard_socket()
        for name, (function, former) in _replaced.items():
            if socket_class.__dict__.get(name) is function:
                if former is _ABSENT:
                    delattr(socket_class, name)
                else:
                    setattr(socket_class, name, former)
        _replaced.clear()


def standard_socket() -> type[socket.socket]:
    """The standard library's own class, also where gevent or eventlet has replaced it in the module."""
    for each in _socket.socket.__subclasses__():
        if (each.__module__, each.__qualname__) == ("socket", "socket"):
            return each  # type: ignore[return-value]
    return socket.socket


@cache
def _watched_code() -> dict[str, CodeType]:
    """method -> the code that defines the watched method."""
    sources = dict(_SOURCES)
    sources |= {name: _frequent_source(name, shape) for name, shape in FREQUENT_CALLS.items()}
    sources |= {name: _PLAIN_SOURCE.format(name=name, call=call) for name, call in _PLAIN.items()}
    sources |= {name: _SINGLE_SOURCE.format(name=name, is_plain=name not in RESULTS) for name in _SINGLE}
    unless = {name: " and not has_a_time(arguments)" if name == SETS_OPTION else "" for name in UNNOTED}
    sources |= {name: _UNNOTED_SOURCE.format(name=name, unless=unless[name]) for name in UNNOTED}
    return {name: _compiled(name, source) for name, source in sources.items()}


def _frequent_source(name: str, shape: Frequent) -> str:
    required = [each.partition("=")[0] for each in shape.parameters.split(", ") if each.endswith("=MISSING")]
    return _FREQUENT_SOURCE.format(name=name, last=required[-1], **shape._asdict())


def _compiled(name: str, source: str) -> CodeType:
    filename = f"<lifecycle checking {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return compile(source, filename, "exec")


def _watched(name: str, code: CodeType, original: Any) -> FunctionType:
    """The watched method over `original`: that of an earlier check, for which the interpreter has specialized it already."""
    former, function = _made_before.get(name, (None, None))
    if function is None or former is not original:
        function = _made(name, code, original)
        _made_before[name] = original, function
    return function


def _made(name: str, code: CodeType, original: Any) -> FunctionType:
    namespace: dict[str, Any] = {**_NAMES, "__name__": "socket", "original": original}
    exec(code, namespace)
    function: FunctionType = namespace[name]
    function.__code__ = function.__code__.replace()  # its own: the interpreter specializes code to the globals of one function
    function.__qualname__ = f"socket.{name}"
    function.__doc__ = original.__doc__
    if name in _WAITING:
        WATCHED[id(function.__code__)] = _WAITING[name]
    return function
