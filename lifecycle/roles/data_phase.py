"""The data phase of a stream: one table, which `client` enters by connecting and `accepted` by being accepted.

Three facts make up its states: whether sends were ended here, whether receives were ended here, and whether the end of the
peer's stream was seen. `broken` stands apart: the connection was reset, and what had come before may still be read.

    connected ──eof──> peer_closed ──sends──> ended
        │ sends                                 ^
        ├──────> send_shut ─────────eof─────────┘
        │ receives    │ receives
        └──────> receive_shut ──sends──> shut

Legal means portable. Linux delivers data after receives were ended, and tells ENOTCONN to a shutdown() of a connection
that the peer has ended too; Winsock does neither. So the one is illegal here, and the other is the outcome `failed`.
"""

from lifecycle.engine.role import Row, State, stays
from lifecycle.roles.vocabulary import endings, options

SENDS_ENDED = "Sends were ended by shut_down(): the peer has been told that nothing more comes"
RECEIVES_ENDED = "Receives were ended by shut_down()"
IS_CONNECTED = "The socket is connected already; a new connection takes a new object"

STATES = (
    State("connected", "Both directions are open.", reason=IS_CONNECTED),
    State("send_shut", "Sends were ended here; the peer may still send.", reason=SENDS_ENDED),
    State("receive_shut", "Receives were ended here; sending goes on.", reason=RECEIVES_ENDED),
    State("peer_closed", "The end of the peer's stream was seen; sending goes on.", reason=IS_CONNECTED),
    State("ended", "Sends were ended here and the end of the peer's stream was seen.",
          reason="Both sides have ended their streams: close()"),
    State("shut", "Both directions were ended here.", reason="Both directions were ended by shut_down()"),
    State("broken", "The connection was reset; what came before may still be read.",
          reason="The connection is broken: read what is queued, then close()"),
)  # fmt: skip

NAMES = tuple(state.name for state in STATES)


def _sending(state: str) -> tuple[Row, ...]:
    cells = {**stays(state, "ok", "pending", "timed_out", "failed"), "broken": "broken"}
    return ((state, "send", cells), (state, "send_to", cells))


def _receiving(state: str, *, at_eof: str) -> tuple[Row, ...]:
    cells = {**stays(state, "ok", "pending", "timed_out", "failed"), "eof": at_eof, "broken": "broken"}
    return ((state, "receive", cells), (state, "receive_from", cells))


def _receiving_at_once(state: str, outcome: str) -> tuple[Row, ...]:
    """Receiving where nothing more will come: it never waits, and ends in `outcome` again and again."""
    cells = stays(state, "ok", outcome, "failed")
    return ((state, "receive", cells), (state, "receive_from", cells))


def _names(state: str) -> tuple[Row, ...]:
    return ((state, "get_sock_name", {"ok": state}), (state, "get_peer_name", {"ok": state, "failed": state}))


def _always(state: str) -> tuple[Row, ...]:
    return (*options(state), *endings(state))


def _file(state: str) -> Row:
    """A file may be laid over the connection while something can still pass."""
    return (state, "socket_file", {"ok": state})


ROWS: tuple[Row, ...] = (
    *_sending("connected"),
    *_receiving("connected", at_eof="peer_closed"),
    ("connected", "shut_down",
     {"sends": "send_shut", "receives": "receive_shut", "both": "shut", "failed": "connected"}),
    *_names("connected"),
    ("connected", "io_ctl", {"ok": "connected"}),
    _file("connected"),
    *_always("connected"),

    *_receiving("send_shut", at_eof="ended"),
    ("send_shut", "shut_down", {"sends": "send_shut", "receives": "shut", "both": "shut", "failed": "send_shut"}),
    *_names("send_shut"),
    ("send_shut", "io_ctl", {"ok": "send_shut"}),
    _file("send_shut"),
    *_always("send_shut"),

    *_sending("receive_shut"),
    ("receive_shut", "shut_down",
     {"sends": "shut", "receives": "receive_shut", "both": "shut", "failed": "receive_shut"}),
    *_names("receive_shut"),
    _file("receive_shut"),
    *_always("receive_shut"),

    *_sending("peer_closed"),
    *_receiving_at_once("peer_closed", "eof"),
    ("peer_closed", "shut_down",
     {"sends": "ended", "receives": "receive_shut", "both": "shut", "failed": "peer_closed"}),
    *_names("peer_closed"),
    ("peer_closed", "io_ctl", {"ok": "peer_closed"}),
    _file("peer_closed"),
    *_always("peer_closed"),

    *_receiving_at_once("ended", "eof"),
    ("ended", "get_sock_name", {"ok": "ended"}),
    _file("ended"),
    *_always("ended"),

    ("shut", "shut_down", stays("shut", "sends", "receives", "both", "failed")),
    *_names("shut"),
    *_always("shut"),

    *_receiving_at_once("broken", "broken"),
    ("broken", "get_sock_name", {"ok": "broken"}),
    _file("broken"),
    *_always("broken"),
)  # fmt: skip

REASONS = {
    ("shut", "socket_file"): "Both directions were ended by shut_down(): nothing can pass through a file any more",
    ("send_shut", "connect"): IS_CONNECTED,
    ("receive_shut", "connect"): IS_CONNECTED,
    ("shut", "connect"): "A socket that was shut down cannot connect again; make a new object",
    ("ended", "shut_down"): "Both sides have ended their streams: Linux has let go of the connection already",
    ("ended", "get_peer_name"): "Both sides have ended their streams: Linux has let go of the connection already",
}
