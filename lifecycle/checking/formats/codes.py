"""The codes of problems, as data: one for each kind of cause, with its meaning and advice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lifecycle.checking.kinds import FindingKind
from lifecycle.roles import words
from lifecycle.roles.facts import Facts, Link
from lifecycle.roles.python import hazards
from lifecycle.roles.python.hazards import Hazard
from lifecycle.roles.python.tls_hazards import TLS_HAZARDS
from lifecycle.roles.python.words import METHODS


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of cause.

    name: as in "LC101". title: what happened, in a few words. explanation: why it is wrong, and how to fix it. holds: whether
    it is the cause for a call and the facts of a state. hazard: the hazard with this code, if it is not about a row of a table.
    """

    name: str
    kind: FindingKind
    title: str
    explanation: str
    holds: Callable[[Facts, str], bool] = lambda _at, _call: True
    hazard: Hazard | None = None


def _makes(*calls: str) -> frozenset[str]:
    return frozenset(method for call in calls for method in (call, *METHODS.get(call, ())))


_DATA = _makes(
    *(
        call.name
        for call in (words.SEND, words.SEND_TO, words.RECEIVE, words.RECEIVE_FROM, words.SHUT_DOWN, words.GET_PEER_NAME)
    )
)
_SETTING_UP = _makes(*(call.name for call in (words.BIND, words.LISTEN, words.CONNECT)))
_CONNECTING = _makes(words.CONNECT.name)
_ACCEPTING = _makes(words.ACCEPT.name)
_LISTENING = _makes(words.LISTEN.name)
_UNLINKED = (Link.NO, Link.LISTENING)

_CAUSES: tuple[tuple[int, str, str, Callable[[Facts, str], bool]], ...] = (
    (1, "use after close",
     "The object was closed, or its descriptor was handed out by detach(). Another socket may have the descriptor's number by "
     "now. Make a new object, or move the call before the close().",
     lambda at, call: at.over),
    (2, "the result of a connect was not read",
     "A connect that waits in the background may still fail. Wait until the descriptor can be written, then read SO_ERROR or "
     "call connect again.",
     lambda at, call: at.link is Link.SEEKING),
    (3, "not connected",
     "Data can be sent and received only after connect() has succeeded, or on the socket that accept() returned.",
     lambda at, call: call in _DATA and at.link in _UNLINKED),
    (4, "does not listen",
     "accept() takes connections from the queue that listen() opens.",
     lambda at, call: call in _ACCEPTING and at.link is not Link.LISTENING),
    (5, "this direction was shut down",
     "shutdown() ended this direction for good. Make the call before it, or shut down the other direction only.",
     lambda at, call: call in _DATA),
    (6, "not bound",
     "listen() queues the connections that arrive at the socket's address, so that it needs one: bind() first.",
     lambda at, call: call in _LISTENING and not at.address and at.link is Link.NO),
    (9, "connected again after a refusal",
     "POSIX leaves the state of a socket unspecified whose connect has failed: macOS and the BSDs answer EINVAL. Close it, and "
     "make a new socket for each attempt.",
     lambda at, call: getattr(at, "failed", False) and call in _CONNECTING),
    (7, "set up twice",
     "A socket has one local address, one role and one connection in its life. Make a new one.",
     lambda at, call: call in _SETTING_UP),
    (8, "out of order",
     "The call is not legal in this state. `lifecycle show` prints the table of each role.",
     lambda at, call: True),
)  # fmt: skip

"""(number, title, explanation, when it holds), in the order in which they are tried"""

_FIRST = {FindingKind.ORDER: 100, FindingKind.PORTABILITY: 200}

_PORTABLE = " This system accepts the call; Winsock or POSIX documents an error, or leaves it open."


def _of_hazards(kind: FindingKind, first: int, found: Sequence[Hazard]) -> Iterator[Code]:
    for number, hazard in enumerate(found, first):
        yield Code(f"LC{number}", kind, hazard.title, f"{hazard.reason}. {hazard.remedy}.", hazard=hazard)


CODES: tuple[Code, ...] = (
    *(
        Code(
            f"LC{first + number}",
            kind,
            title,
            explanation + (_PORTABLE if kind is FindingKind.PORTABILITY else ""),
            holds,
        )
        for kind, first in _FIRST.items()
        for number, title, explanation, holds in _CAUSES
    ),
    Code("LC301", FindingKind.LEAK, "never closed",
         "Nothing closed the socket; the collector or the end of the process did. Use `with`, or close() in a `finally`."),
    Code("LC302", FindingKind.LEAK, "a close() that may be skipped",
         "shutdown() raises when the peer is gone, and the error is swallowed before close() is reached. Put the close() into "
         "a `finally`, or the shutdown() into a block of its own.",
         lambda at, call: call in _makes(words.SHUT_DOWN.name)),
    Code("LC401", FindingKind.RACE, "closed during a call",
         "Another thread closed the socket while the call was inside the system: it may wait for ever, or work on another "
         "socket that got the same descriptor. Wake the call first: shut the socket down, then join the thread, then close."),
    *_of_hazards(FindingKind.ORDER, 120, hazards.WAITING_HAZARDS),
    *_of_hazards(FindingKind.LEAK, 303, hazards.LEAK_HAZARDS),
    *_of_hazards(FindingKind.RACE, 402, (hazards.CLOSED_WAITED_FOR,)),
    *_of_hazards(FindingKind.TLS, 501, TLS_HAZARDS),
    *_of_hazards(FindingKind.LOSS, 601, hazards.LOSSES),
)  # fmt: skip

_BY_NAME = {code.name: code for code in CODES}


def code_named(name: str) -> Code | None:
    """The code of that name, or None."""
    return _BY_NAME.get(name.upper())


def code_of_hazard(hazard: Hazard) -> Code:
    """The code of a hazard."""
    return next(code for code in CODES if code.hazard is hazard)


def code_of(kind: FindingKind, facts: object, call: str) -> Code:
    """The code of a problem, by the facts of the state before `call`."""
    kind = FindingKind.ORDER if kind is FindingKind.NOTE else kind
    candidates = [code for code in CODES if code.kind is kind and code.hazard is None]
    if not isinstance(facts, Facts):
        is_over = bool(getattr(facts, "over", False))
        return candidates[0] if is_over or len(candidates) < len(_CAUSES) else candidates[len(_CAUSES) - 1]
    return next(code for code in candidates if code.holds(facts, call))
