"""Sockets that a running thread will close: at the end of a program they are open, but not leaks."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from types import FrameType, FunctionType, MethodType

from lifecycle.checking.call_sites import STDLIB
from lifecycle.system.threads import frames_of_threads

_HANDLERS = {(STDLIB + "socketserver.py", "process_request_thread"): "request"}
"""(file, function) of the standard library in which a thread closes its connection in the end -> the variable that has it"""


def entered() -> frozenset[int]:
    """The id() of each socket that a thread closes when it leaves a `with` block, or the handler of a request."""
    if threading.active_count() == 1:
        return frozenset()
    return frozenset({*_in_blocks(), *_in_handlers()})


def _in_blocks() -> Iterator[int]:
    """Those of running `with` blocks: of the sockets, or of objects that have one, as those of `contextlib.closing` do.

    CPython keeps the bound method __exit__() on the stack of the thread, where the collector does not look: nothing seems to
    refer to it. That of an ExitStack, or of a generator that was left in the block, belongs to that object.
    """
    leaving = tuple(each for each in gc.get_objects() if type(each) is MethodType and _name(each.__func__) == "__exit__")
    owners = (each for each in gc.get_referrers(*leaving) if each is not leaving)  # one search, however many there are
    owned = {id(each) for owner in owners for each in gc.get_referents(owner)}
    for each in (method.__self__ for method in leaving if id(method) not in owned):
        yield id(each)
        yield from map(id, getattr(each, "__dict__", {}).values())


def _name(function: object) -> str:
    return function.__name__ if type(function) is FunctionType else ""


def _in_handlers() -> Iterator[int]:
    for top in frames_of_threads().values():
        frame: FrameType | None = top
        while frame is not None:
            variable = _HANDLERS.get((frame.f_code.co_filename, frame.f_code.co_name))
            if variable is not None:
                yield id(frame.f_locals.get(variable))
            frame = frame.f_back
