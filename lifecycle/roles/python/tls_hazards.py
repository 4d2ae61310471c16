"""Hazards of TLS in Python's `ssl` and `asyncio`, each with its remedy.

The sources are the documentation of `ssl`, RFC 8446 (sections 4.6.1, 6.1) and measurements on CPython 3.11.
"""

from lifecycle.roles.python.hazards import Hazard

DROPPED = Hazard(
    "shutdown() drops TLS",
    "shutdown() of an SSLSocket ends TLS in both directions: what arrives afterwards is handed out as it is on the wire",
    "Call unwrap() to end TLS, or keep both directions open until close()",
)
PLAIN_AFTER = Hazard(
    "plain data after TLS",
    "TLS was dropped, so that the data travels in the clear",
    "Make a new connection, or end TLS by unwrap() where the protocol goes on in the clear",
)
ORDER = Hazard(
    "TLS call out of order",
    "The call needs TLS in another state",
    "Connect, wrap the socket while it waits, finish the handshake, and ask then; close after a failed handshake",
)
UNREAD = Hazard(
    "unwrap() before the data was read",
    "The peer's data is still unread: unwrap() fails on it, and the data is lost",
    "Receive until b'' or the end of the message, then unwrap()",
)
UNBOUNDED = Hazard(
    "unwrap() waits without a limit",
    "unwrap() waits for the peer's close_notify, which many peers never send",
    "Set a time-out before unwrap()",
)
IN_ACCEPT = Hazard(
    "the handshake is made in accept()",
    "A wrapped listener shakes hands in accept(): one silent client stops the server",
    "Accept plainly, and wrap each connection in its own thread, or wrap with do_handshake_on_connect=False",
)
TRUNCATED = Hazard(
    "a cut is taken for the end",
    "The connection ended without close_notify, which b'' does not show: the data may be cut",
    "Know the length, or wrap with suppress_ragged_eofs=False",
)
NO_CLOSE_NOTIFY = Hazard(
    "closed without close_notify",
    "close() of an SSLSocket does not tell the peer that the data is whole",
    "Call unwrap() before close()",
    on_request=True,
)
MAY_RESET = Hazard(
    "a close() that may take back what was sent",
    "A TLS 1.3 server sends session tickets after the handshake; closing with them unread resets the connection",
    "Receive something first, or unwrap() before close()",
)
NOT_AWAITED = Hazard(
    "the loop ends before the data is sent",
    "close() of a writer returns at once, and the event loop ended before the rest was sent",
    "Await writer.wait_closed() before the loop ends",
)
PLAIN_LEFT = Hazard(
    "plain data is left when TLS begins",
    "A reader over the socket holds data that came before the handshake: it is taken for data that TLS protects",
    "Make a new reader over the wrapped socket, and drop what came before",
)
LEFT_OVER_LOST = Hazard(
    "plain data is left in the incoming memory",
    "What came together with close_notify is in the incoming MemoryBIO, and was never read",
    "Read incoming.read() after unwrap()",
)
ALERT_LEFT = Hazard(
    "the alert was never sent",
    "The handshake failed, and the alert that tells the peer is still in the outgoing MemoryBIO",
    "Send outgoing.read() after an SSLError, too",
)
END_NOT_TOLD = Hazard(
    "the end is not told to TLS",
    "TLS wants to read again and again, and gets nothing new: the connection has ended",
    "Call incoming.write_eof() when the socket's receive returns b''",
)
CHANGED_RETRY = Hazard(
    "other data after a send that was not finished",
    "After SSLWantWriteError the same data has to be sent again",
    "Keep the data, and send it again when the socket can be written",
)
WAIT_WITH_PENDING = Hazard(
    "waits for the descriptor while data is here",
    "TLS has data already, and the descriptor does not become readable for it",
    "Receive while pending() > 0 before waiting",
)
BLOCKING_AFTER_WAIT = Hazard(
    "a receive that waits although the descriptor was readable",
    "A TLS record may hold no data, so that the descriptor is readable and the receive waits",
    "Make the socket non-blocking, or give it a time-out, and take SSLWantReadError",
)
RACE = Hazard(
    "two threads in one TLS connection",
    "OpenSSL's connection is not made for two threads that send, or two that receive, at once",
    "Put a lock around the calls",
)
UNDER_TLS = Hazard(
    "data below TLS",
    "Another object reads or writes the descriptor of an SSLSocket: TLS breaks, or data travels in the clear",
    "Use the SSLSocket alone, or unwrap() it first",
)
UNCONFIRMED = Hazard(
    "not yet confirmed by the server",
    "A TLS 1.3 client ends its handshake before the server has checked its certificate",
    "Receive something before taking the connection for good",
    on_request=True,
)
SESSION_TOO_EARLY = Hazard(
    "a session without a ticket",
    "A TLS 1.3 session is complete only when the server's ticket has come, with the first data",
    "Take .session after the first receive",
)
UNVERIFIED = Hazard(
    "the server is not verified",
    "The context takes any certificate, so that anybody may be the server",
    "Use ssl.create_default_context(), with your own cafile where you need one",
    on_request=True,
)

TLS_HAZARDS = (
    DROPPED, PLAIN_AFTER, ORDER, UNREAD, UNBOUNDED, IN_ACCEPT, TRUNCATED, NO_CLOSE_NOTIFY, MAY_RESET, NOT_AWAITED, PLAIN_LEFT,
    LEFT_OVER_LOST, ALERT_LEFT, END_NOT_TOLD, CHANGED_RETRY, WAIT_WITH_PENDING, BLOCKING_AFTER_WAIT, RACE, UNDER_TLS,
    UNCONFIRMED, SESSION_TOO_EARLY, UNVERIFIED,
)  # fmt: skip
