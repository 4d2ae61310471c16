"""The surroundings of a socket file: the connection below it, and who is at its other end."""

from __future__ import annotations

from lifecycle.conformance.model.environment import (
    ALL,
    Environment,
    Place,
    Provocation,
    Under,
    ends,
    failing,
    peer,
    plainly,
    waits,
)
from lifecycle.conformance.vocabulary.handles import MESSAGE, RECEIVE_SIZE
from lifecycle.conformance.vocabulary.streams import FLOOD

CONNECTION, NO_CONNECTION = Place("a connection"), Place("no connection")

NEVER = (
    "seek", "seek_to_begin", "seek_to_end", "tell", "get_position", "truncate", "set_length", "get_length", "lock_range",
    "unlock_range", "duplicate", "open", "abort",
)  # fmt: skip
"""calls of files that a connection cannot have"""

GONE = ends("failed", where="gone")
TOLD = ends("failed", where="told")
"""The socket below is broken and takes no send any more: it refuses it."""

READ = (
    GONE,
    ends("ok", where="data", drops="data", gives=MESSAGE),
    ends("broken", where="told"),
    ends("eof", where="end", gives=b""),
    ends("broken", where="reset", adds="told"),
)
SOCKET_FILE = Environment(
    provocations=(
        plainly("attach", CONNECTION, adds="linked"),
        failing("attach", NO_CONNECTION, how="nothing"),
        plainly("archive"),
        *waits("read", RECEIVE_SIZE, False, endings=READ),
        *waits(
            "write",
            MESSAGE,
            endings=(GONE, TOLD, ends("broken", where="reset", adds="told")),
            where="full",
            otherwise=(ends("ok", adds="sent", gives=ALL),),
        ),
        Provocation(
            "write",
            "a flood",
            (FLOOD,),
            Under.AT_ONCE,
            (GONE, TOLD, ends("broken", where="reset", adds="told"), ends("pending", where="full"), ends("ok", adds="full")),
            costly=True,
        ),
        plainly("flush"),
        *(plainly(call) for call in NEVER),
        plainly("close"),
    ),
    peer_actions=(
        peer("peer_sends", where="linked", unless="data end reset full gone", adds="data"),
        peer("peer_ends", where="linked", unless="end reset full gone", adds="end"),
        peer("peer_resets", where="linked", unless="reset gone", adds="reset"),
        peer("peer_reads", where="sent", unless="reset full gone", drops="sent"),
        peer("socket_closes", where="linked", unless="gone", adds="gone"),
    ),
)
