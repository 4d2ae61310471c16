"""The role of a client: it connects to a server, and then has the data phase of a stream (stream.py).

A refused connect returns to the previous state and may be retried. A connect that did not wait until it ended leads to
`connecting`, where finish_connect() gets its result; that may also be a refusal, after which the socket is bound.
"""

from lifecycle.engine import Reason, Role, Rule, State, expand, expand_reasons, stay, to
from lifecycle.roles import facts, tls
from lifecycle.roles.facts import Link
from lifecycle.roles.stream import DATA_CALLS, DATA_PHASE, DATA_WORDS, STREAM, STREAM_REASONS
from lifecycle.roles.words import BOUND, CLOSED, CREATION, CREATION_REASONS, EMPTY, OPEN, attaching, calls, outcomes

CONNECTS_ONLY = "A client connects; a Server listens and accepts"
UNDER_WAY = "A connect is under way: finish_connect() gets its result"

CONNECTING = State("connecting", "A connect is under way.", reason=UNDER_WAY, facts=facts.SEEKING)
ATTACHABLE = (OPEN, BOUND, CONNECTING, *DATA_PHASE)
"""The states in which a handle may be found: the keys of TLS are not part of it"""

STATES = (EMPTY, *ATTACHABLE, *tls.STATES, CLOSED)

SEEK = {
    "ok": facts.links, "refused": stay, "pending": facts.seeks, "timed_out": facts.seeks, "interrupted": facts.seeks,
}  # fmt: skip
RULES = (
    *CREATION,
    attaching(ATTACHABLE),
    Rule("connect", facts.is_unlinked, SEEK | {"failed": stay}),
    Rule("finish_connect", lambda at: at.link is Link.SEEKING, SEEK | {"refused": to(link=Link.NO)}),
    *STREAM,
)
ROWS = expand(RULES, STATES)

NOT_REACHED = (
    "ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ENETRESET", "ETIMEDOUT",
    "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN",
)  # fmt: skip
"""The errors by which the network refuses a connection; a lack of this machine's own is `failed`"""

WORDS: dict[str, dict[str, object]] = {
    "connect finish_connect": {"errors": {"refused": NOT_REACHED, "interrupted": ("EINTR",)}},
}

CLIENT = Role(
    name="client",
    doc="Connects to a server and exchanges data with it.",
    states=STATES,
    calls=calls(
        "create", "open", "bind", "connect", "finish_connect", "socket_file",
        "send", "receive", "send_to", "receive_from", "send_handles", "receive_handles", "shut_down",
        "get_sock_name", "get_peer_name", "set_option", "get_option", "io_ctl", "attach", *tls.CALLS.split(), "detach", "close",
        words=DATA_WORDS | WORDS,
        listen=CONNECTS_ONLY,
        accept=CONNECTS_ONLY,
    ),
    outcomes=outcomes(ATTACHABLE, *tls.OUTCOMES),
    initial="empty",
    final=frozenset({"closed"}),
    closes="close",
    rows=ROWS,
    reasons=expand_reasons(
        (
            *CREATION_REASONS,
            *STREAM_REASONS,
            Reason(f"socket_file {DATA_CALLS} {tls.CALLS}", facts.is_unlinked, "There is no connection yet"),
            Reason("connect", lambda at: at.link is Link.SEEKING,
                   "A connect is under way already: finish_connect() gets its result"),
        ),
        ROWS,
        STATES,
    ),
)  # fmt: skip
