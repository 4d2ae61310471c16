"""What to do first, where that is not a sequence of calls on the socket itself."""

from collections.abc import Callable, Collection

from lifecycle.roles.facts import Link
from lifecycle.roles.python.derived import PythonFacts
from lifecycle.roles.python.words import CONNECTING, FAREWELL

WAKING: tuple[tuple[Callable[[PythonFacts, Collection[str]], bool], str], ...] = (
    (lambda at, _: at.link is Link.LISTENING,
     "tell the thread to end, make one connection to the listener, join the thread, then close"),
    (lambda _, legal: FAREWELL in legal, "shutdown() first, join the thread, then close"),
    (lambda at, _: True, "tell the thread to end, send an empty datagram to the socket's address, join the thread, then close"),
)  # fmt: skip
"""(facts of the socket and its legal calls, how another thread wakes a call that waits on it)"""

INSTEAD: tuple[tuple[Callable[[PythonFacts, str], bool], str], ...] = (
    (lambda at, call: at.link is Link.SEEKING and call not in CONNECTING,
     "Wait until the descriptor can be written, then read SO_ERROR or call connect() again"),
    (lambda at, call: call == FAREWELL and at.handle and at.link is Link.NO,
     "Leave it out: close() is enough where there is no connection"),
    (lambda at, call: call == FAREWELL and at.link is Link.LISTENING,
     "Leave it out: wake a thread that waits in accept() by one connection, then close()"),
    (lambda at, call: at.failed and call in CONNECTING, "Close it, and make a new socket for each attempt"),
    (lambda at, call: at.over, "Or make this call before close() or detach()"),
)  # fmt: skip
"""(facts of the socket and the illegal call, what to do about it), where no path of calls on the socket makes the call legal"""
