"""The details of a connection's TLS: version, cipher, protocol, and the certificate of the peer."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TICKETS_AFTERWARDS = "TLSv1.3"
"""The version in which a server sends session tickets when the handshake is over, and nothing of the handshake with them"""


@dataclass(frozen=True, slots=True)
class TlsDetails:
    """The result of a handshake, which outlives the connection.

    version: as in "TLSv1.3". cipher: its name. alpn_protocol: the protocol that both sides chose, or None. peer_certificate:
    what ssl.SSLObject.getpeercert() gives, {} where the peer has shown none or nobody has verified it. certificate_bytes: the
    same in DER, None where the peer has shown none. is_verified: whether the peer has shown a certificate that this side has
    verified; False with a context of CERT_NONE, where anybody can be the peer. is_resumed: whether an earlier session went on.
    key_log: whether the context writes the keys to a file (SSLKEYLOGFILE), so that its readers can decrypt. session: for a
    later start_tls(session=...) to resume; None until the peer has sent a ticket, which in TLS 1.3 comes with its first data.
    """

    version: str
    cipher: str
    alpn_protocol: str | None
    peer_certificate: Mapping[str, Any]
    certificate_bytes: bytes | None = field(repr=False)
    is_verified: bool
    is_resumed: bool
    key_log: bool
    session: ssl.SSLSession | None = field(repr=False, compare=False)


def details_of(secured: ssl.SSLObject) -> TlsDetails:
    """The details of a handshake that has ended well."""
    cipher = secured.cipher()
    shown = secured.getpeercert(binary_form=True)
    return TlsDetails(
        version=secured.version() or "",
        cipher=cipher[0] if cipher else "",
        alpn_protocol=secured.selected_alpn_protocol(),
        peer_certificate=secured.getpeercert() or {},
        certificate_bytes=shown,
        is_verified=shown is not None and secured.context.verify_mode is not ssl.CERT_NONE,
        is_resumed=bool(secured.session_reused),
        key_log=secured.context.keylog_filename is not None,
        session=session_of(secured),
    )


def session_of(secured: ssl.SSLObject) -> ssl.SSLSession | None:
    """The session, if it can be resumed."""
    session = secured.session
    return session if session is not None and session.has_ticket else None
