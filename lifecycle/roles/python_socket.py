"""The role of Python's sockets of any other kind or family: no table tells their order, but that a closed one is used up."""

from lifecycle.engine import Role, stays
from lifecycle.roles.python_vocabulary import ALWAYS, CALLS, OUTCOMES, always_rows
from lifecycle.roles.words import CLOSED, OPEN

_ENDINGS = (
    "eof",
    "pending",
    "timed_out",
    "refused",
    "broken",
    "failed",
    "sends",
    "receives",
    "both",
    "watched",
    "asked",
    "confirmed",
)

PYTHON_SOCKET = Role(
    name="socket",
    doc="A socket of the standard library whose order no table tells: a raw one, say, or one of another family.",
    states=(OPEN, CLOSED),
    calls=CALLS,
    outcomes=OUTCOMES,
    initial="open",
    final=frozenset({"closed"}),
    closes="close",
    rows=(
        *(("open", call.name, stays("open", "ok", *_ENDINGS)) for call in CALLS if call.name not in ALWAYS),
        ("open", "fileno", {"ok": "open"}),
        ("open", "detach", {"ok": "closed"}),
        ("open", "close", {"ok": "closed"}),
        *always_rows("closed"),
    ),
)
