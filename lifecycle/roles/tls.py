"""TLS on a stream: a second data phase, which start_tls() enters from `connected` and stop_tls() leaves for it.

    connected ──start_tls──> secured ──eof──────> secured_peer_closed ──sends──> secured_ended ──stop_tls──> connected
        │  had to wait         │ sends                                                 ^
        └──> handshaking       └──> secured_send_shut ─────────────eof─────────────────┘
              └ finish_tls

The halves are those of the plain data phase, with close_notify in place of the FIN: whether this side's was sent, and whether
the peer's was received. close_notify is authentic, and a FIN is not: anybody on the network path can send one. So a FIN without
close_notify before it is not an end of the stream but the outcome `truncated` (RFC 8446, section 6.1).

Legal means portable. OpenSSL makes the handshake inside the first send or receive, and Schannel and rustls do not; TLS has no
message that ends receives; OpenSSL's SSL_shutdown() fails if data is unread, and s2n's drops it. So the two halves of the
end are two calls, as in plain text: shut_down("sends"), then receive() until b"". Neither it nor stop_tls() waits for the peer.

A handshake that fails leads to `broken`, whatever failed: never back to plain text.
"""

from dataclasses import replace

from lifecycle.engine import INTERRUPTED, Kind, Outcome, Reason, Rule, State, stay, to
from lifecycle.roles import facts
from lifecycle.roles.facts import LINKED, Facts, Receives, Tls

TRUNCATED = Outcome(
    "truncated", "The connection ended without the peer's close_notify: data may be missing.", Kind.FAILURE
)  # fmt: skip
UNREAD = Outcome(
    "unread",
    "The object holds plain text that was not read yet, which must not be taken for data received over TLS.",
    Kind.FAILURE,
)
OUTCOMES = (TRUNCATED, UNREAD, INTERRUPTED)

NOT_OVER = "The TLS handshake is not over: finish_tls() gets its result"
IS_UP = "TLS is already active, and there is no TLS within TLS"
NOTIFIED = "Sends were ended by shut_down(): close_notify, the last message of this side, was sent"
BOTH_NOTIFIED = "Both sides have ended TLS: stop_tls() goes back to plain text, or close()"
CUT_OFF = "The connection ended without close_notify, so data may be missing: close(), and do not trust what was received"

SECURED = replace(LINKED, tls=Tls.ON)

STATES = tuple(replace(state, part="TLS") for state in (
    State("handshaking", "A TLS handshake is under way.", reason=NOT_OVER, facts=facts.shakes_hands(LINKED)),
    State("secured", "TLS is active; both directions are open.", reason=IS_UP, facts=SECURED),
    State("secured_send_shut", "This side's close_notify was sent; the peer may still send.", reason=NOTIFIED,
          facts=replace(SECURED, sends=False)),
    State("secured_peer_closed", "The peer's close_notify was seen; sending goes on.",
          reason="The peer has ended its side of TLS", facts=replace(SECURED, receives=Receives.EOF)),
    State("secured_ended", "Both sides' close_notify were exchanged.", reason=BOTH_NOTIFIED,
          facts=replace(SECURED, sends=False, receives=Receives.EOF)),
    State("truncated", "The connection ended without the peer's close_notify: the peer is at fault, or somebody cut it.",
          reason=CUT_OFF, facts=facts.cuts(LINKED)),
))  # fmt: skip


def is_open(at: Facts) -> bool:
    """TLS is active, and not ended on both sides."""
    return at.is_secured and not at.is_finished


def is_ready(at: Facts) -> bool:
    """TLS can start: there is a connection without it, with both directions open."""
    return at == LINKED


HANDSHAKE = {
    "ok": facts.secures, "pending": facts.shakes_hands, "timed_out": facts.shakes_hands, "interrupted": facts.shakes_hands,
    "refused": facts.resets, "broken": facts.resets,
}  # fmt: skip

RULES = (
    Rule("start_tls", is_ready, HANDSHAKE | {"unread": stay, "failed": stay}),
    Rule("finish_tls", lambda at: at.tls is Tls.HANDSHAKE, HANDSHAKE),
    Rule("shut_down", lambda at: at.is_secured and at.sends, {"sends": to(sends=False), "broken": facts.resets}),
    Rule("shut_down", lambda at: is_open(at) and not at.sends, {"sends": stay}),
    Rule("get_tls", lambda at: at.is_secured, {"ok": stay}),
    Rule("stop_tls", lambda at: at.is_secured and at.is_finished, {
        "ok": to(sends=True, receives=Receives.OPEN, tls=Tls.NO),
        "pending": stay, "timed_out": stay, "failed": stay, "broken": facts.resets,
    }),
)  # fmt: skip
"""What the TLS calls do; sending and receiving are the stream's own rules"""

NEEDS_BOTH = "A TLS handshake needs both directions of the connection open"

REASONS = (
    Reason("stop_tls", lambda at: at.is_secured and not at.sends and not at.is_finished,
           "TLS ends on both sides first: receive() until b'', the peer's close_notify"),
    Reason("stop_tls", lambda at: at.is_secured and at.receives is Receives.EOF,
           "The peer has ended TLS, and this side has not: shut_down('sends') first"),
    Reason("stop_tls", lambda at: at.is_secured, "TLS ends on both sides first: shut_down('sends'), then receive() until b''"),
    Reason("start_tls", is_open, IS_UP),
    Reason("start_tls", lambda at: at.is_secured, "stop_tls() goes back to plain text first"),
    Reason("finish_tls", lambda at: at.is_secured, "The TLS handshake is over: it succeeded"),
    Reason("detach", lambda at: at.is_secured,
           "The connection is encrypted, and a handle cannot carry its keys: stop_tls() first, or close()"),
    Reason("detach", lambda at: at.tls is Tls.HANDSHAKE,
           "A handle cannot carry a TLS handshake: finish_tls() first, or close()"),
    Reason("io_ctl", lambda at: at.is_secured,
           "The data that has arrived is encrypted: its length is known only when it is received"),
    Reason("send send_to", lambda at: at.is_secured and not at.sends, NOTIFIED),
    Reason("send_handles receive_handles", lambda at: at.is_secured,
           "Descriptors are sent beside the bytes, where TLS does not protect them: stop_tls() goes back to plain text first"),
    Reason("shut_down socket_file", lambda at: at.is_secured and at.is_finished, BOTH_NOTIFIED),
    Reason("start_tls stop_tls get_tls send receive send_to receive_from send_handles receive_handles shut_down socket_file "
           "io_ctl", lambda at: at.tls is Tls.HANDSHAKE, NOT_OVER),
    Reason("start_tls finish_tls stop_tls get_tls send send_to send_handles receive_handles shut_down socket_file io_ctl "
           "detach", lambda at: at.tls is Tls.CUT, CUT_OFF),
    Reason("start_tls", lambda at: at.is_linked and at.is_plain, NEEDS_BOTH),
    Reason("start_tls", lambda at: at.handle and not at.is_linked and at.link is not facts.Link.RESET,
           "There is no connection yet"),
    Reason("start_tls finish_tls stop_tls get_tls", lambda at: at.link is facts.Link.RESET,
           "The connection is broken: after a failed handshake or a reset there is only close()"),
)  # fmt: skip

REFUSAL = "HandshakeRefused"
"""The error where one side did not accept the other's certificate, name or version; in TLS 1.3 also after the handshake"""

CUT_SHORT = "StreamTruncated"
"""The error of a receive after the connection ended without close_notify"""

LEFT_UNREAD = "PlainTextUnread"
"""The error of a start_tls() where the object holds plain text"""

GONE = ("ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN")
"""The errors of a close_notify that cannot be sent; ENOTCONN answers a shutdown() in plain text, where it is `failed`"""

CALLS = "start_tls finish_tls stop_tls get_tls"
