"""How the calls of TLS are provoked on a stream, and the actions of its peer.

Facts of the state: `can_secure` (a handshake can begin or is under way), `shaking_hands`, `encrypted`, `notify_sent` and
`notify_seen` (each side's close_notify), `cut_seen`. Facts that peers cause: `tls_begun` (the peer makes its half of the
handshake), `refusing` (one of the two certificates is not accepted), `notified` (its close_notify has come), `cut` (the
connection has ended without it).
"""

from __future__ import annotations

from lifecycle.conformance.model.environment import (
    Facts,
    Place,
    Provocation,
    Under,
    ends,
    failing,
    peer,
    plainly,
    waits,
)
from lifecycle.roles import words
from lifecycle.roles.facts import Facts as SocketFacts
from lifecycle.roles.facts import Receives, Tls
from lifecycle.roles.tls import is_ready

CONTEXT, OTHER_CONTEXT = Place("a context"), Place("a context of the other side")
CONTEXT_UNDER_FILE = Place("a context, while a file holds what has come")

NOTHING_ELSE = "data end reset full sent tls_begun"
"""facts that must not hold if only the handshake is tried"""


def tls_words(at: SocketFacts) -> Facts:
    """The facts of a stream's state about TLS, as words."""
    says = {
        "can_secure": is_ready(at) or at.tls is Tls.HANDSHAKE,
        "shaking_hands": at.tls is Tls.HANDSHAKE,
        "encrypted": at.is_secured,
        "notify_sent": at.is_secured and not at.sends,
        "notify_seen": at.is_secured and at.receives is Receives.EOF,
        "cut_seen": at.tls is Tls.CUT,
    }
    return frozenset(word for word, is_said in says.items() if is_said)


BROKEN = ends("broken", where="reset", adds="reset_reported")


def _patiently(call: str, *arguments: object) -> Provocation:
    """A handshake with a peer that makes its half of it."""
    refused = ends("refused", where="tls_begun refusing", unless="sent full", drops="tls_begun refusing", adds="gone")
    return Provocation(
        call, "", arguments, Under.PATIENTLY, (refused, ends("ok", where="tls_begun", unless="sent full", drops="tls_begun"))
    )


TLS_CALLS = (
    *waits(
        words.START_TLS.name,
        CONTEXT,
        endings=(
            ends("refused", where="data", unless="reset full sent tls_begun", drops="data", adds="gone"),
            ends("broken", where="reset", unless="data", adds="reset_reported"),
        ),
        unless=NOTHING_ELSE,
        cancelled="interrupted",
    ),
    _patiently(words.START_TLS.name, CONTEXT),
    failing(words.START_TLS.name, OTHER_CONTEXT, how="as the other side"),
    Provocation(
        words.START_TLS.name,
        "under a file that has read",
        (CONTEXT_UNDER_FILE,),
        Under.AT_ONCE,
        (ends("unread", where="data", unless="end reset", drops="data"),),
    ),
    *waits(words.FINISH_TLS.name, endings=(BROKEN,), unless="tls_begun", cancelled="interrupted"),
    _patiently(words.FINISH_TLS.name),
    plainly(words.GET_TLS.name),
    *waits(
        words.STOP_TLS.name,
        endings=(ends("broken", where="full reset", adds="reset_reported"),),
        where="full",
        cancelled="failed",
        otherwise=(ends("ok"),),
    ),
)

ENDED = (
    ends("truncated", where="cut_seen"),
    ends("eof", where="notify_seen", gives=b""),
    ends("eof", where="notified", unless="reset_reported", drops="notified", gives=b""),
)
"""the ends of a receive that finds no data, before a reset is considered"""

CUT = ends("truncated", where="cut", drops="cut")

TLS_PEER = (
    peer("peer_begins_tls", where="can_secure", unless=f"{NOTHING_ELSE} gone answered", adds="tls_begun"),
    peer("peer_refuses_tls", where="can_secure", unless=f"{NOTHING_ELSE} gone answered", adds="tls_begun refusing"),
    peer("peer_notifies", where="encrypted", unless="notified notify_seen reset full cut", adds="notified"),
    peer("peer_cuts", where="encrypted", unless="notified notify_seen reset full cut", adds="cut"),
)
