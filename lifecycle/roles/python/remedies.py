"""What to do first, where that is no sequence of calls on the socket itself."""

from collections.abc import Callable, Collection

from lifecycle.roles.facts import Link
from lifecycle.roles.python.derived import PythonFacts
from lifecycle.roles.python.words import FAREWELL

WAKING: tuple[tuple[Callable[[PythonFacts, Collection[str]], bool], str], ...] = (
    (lambda at, _: at.link is Link.LISTENING,
     "tell the thread to end, make one connection to the listener, join the thread, then close"),
    (lambda _, legal: FAREWELL in legal, "shutdown() first, join the thread, then close"),
    (lambda at, _: True, "tell the thread to end, send an empty datagram to the socket's address, join the thread, then close"),
)  # fmt: skip
"""(facts of the socket and its legal calls, how another thread wakes a call that waits on it)"""
