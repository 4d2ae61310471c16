"""nowait(): a call that is made without waiting, as those of MFC's CAsyncSocket are."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Value = TypeVar("Value")


RUNNING: list[object] = []
"""One element for each nowait() that runs, in any thread: while it is empty, the mode of a thread need not be read"""


class Mode(threading.local):
    """The mode of this thread: `never_waits` is true while nowait() runs a call."""

    never_waits = False


mode = Mode()


def nowait(call: Coroutine[Any, Any, Value]) -> Value:
    """Make a call without waiting; what it returns, or BlockingIOError where it would have to wait.

    call: a call of an object of lifecycle.aio, as in nowait(client.receive()). It needs no `await`, so that a plain function
    can make it, as a notification callback does. Raises what the call raises; ValueError where a name would have to be looked
    up; RuntimeError for a coroutine that waits for anything but a socket.
    """
    before = mode.never_waits
    mode.never_waits = True
    RUNNING.append(call)
    try:
        call.send(None)
    except StopIteration as ended:
        value: Value = ended.value
        return value
    else:
        raise RuntimeError("nowait() makes calls of lifecycle.aio: this coroutine waits for something other than a socket")
    finally:
        RUNNING.remove(call)
        mode.never_waits = before
        call.close()
