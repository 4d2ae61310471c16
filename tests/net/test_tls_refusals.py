"""Handshakes that must fail: each side says why, the object is broken, and nothing goes over the wire in plain text."""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from loopback import LONG, Background, accepted_and_raw_peer, client_and_raw_peer, connected_pair
from secured import TLS_1_2, TLS_1_3, VERSIONS, in_the_clear, wants_certificate

from lifecycle import HandshakeRefused, IllegalCall
from lifecycle.conformance.adapters.certificates import authority, client_context, server_context

DAY = datetime.timedelta(days=1)


def dated(version: ssl.TLSVersion, since: int, until: int) -> ssl.SSLContext:
    """A server's context whose certificate is valid between two days from today."""
    today = datetime.datetime.now(datetime.UTC)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority().issue_cert("localhost", not_before=today + since * DAY, not_after=today + until * DAY)
    certificate.configure_cert(context)
    context.minimum_version = context.maximum_version = version
    return context


@dataclass(frozen=True)
class Refusal:
    """What does not fit, and what each side says: a client that verifies in words, a server by OpenSSL's reason."""

    serving: Callable[[ssl.TLSVersion], ssl.SSLContext]
    client: str
    server: str
    asking: Callable[[ssl.TLSVersion], ssl.SSLContext] = lambda version: client_context(version, checks_name=True)
    name: str = "localhost"


OTHER = {TLS_1_2: TLS_1_3, TLS_1_3: TLS_1_2}

REFUSALS = {
    "wrong name": Refusal(server_context, "Hostname mismatch", "ALERT_BAD_CERTIFICATE", name="somebody.else"),
    "unknown": Refusal(
        lambda version: server_context(version, by="stranger"), "unable to get local issuer", "ALERT_UNKNOWN_CA"
    ),
    "expired": Refusal(lambda version: dated(version, -9, -1), "has expired", "ALERT_CERTIFICATE_EXPIRED"),
    "not yet valid": Refusal(lambda version: dated(version, 1, 9), "not yet valid", "ALERT_BAD_CERTIFICATE"),
    "no common version": Refusal(
        lambda version: server_context(OTHER[version]), "ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL|NO_SHARED|VERSION"
    ),
    "no certificate": Refusal(wants_certificate, "CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE", "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
}


@VERSIONS
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_both_sides_say_why(refusal: Refusal, version: ssl.TLSVersion) -> None:
    """Both get a HandshakeRefused that says what is wrong, again from each receive, and have close() left alone."""
    with connected_pair(timeout=LONG) as (client, accepted):
        serves = Background(lambda: accepted.start_tls(refusal.serving(version)))
        with pytest.raises(HandshakeRefused, match=refusal.client) as at_client:
            client.start_tls(refusal.asking(version), server_hostname=refusal.name)
            client.receive()  # in TLS 1.3 this is where a client learns of it
        with pytest.raises(HandshakeRefused) as at_server:
            serves.result()
        assert any(reason in at_server.value.reason for reason in refusal.server.split("|"))
        assert isinstance(at_client.value.__cause__, ssl.SSLError)
        assert bool(at_client.value.verify_message) is isinstance(at_client.value.__cause__, ssl.SSLCertVerificationError)
        for end in (client, accepted):
            assert end.state == "broken"
            with pytest.raises(IllegalCall, match="close"):
                end.send(b"in plain text")


NOISE = {
    "plain text": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a banner": b"220 localhost ESMTP\r\n",
    "zeros": bytes(4096),
    "an empty record": bytes.fromhex("1603010000"),
    "a record that is too long": bytes.fromhex("160301ffff") + bytes(600),
    "application data": bytes.fromhex("1703030005") + b"hello",
    "an alert": bytes.fromhex("15030300020228"),
    "an unknown type": bytes.fromhex("ff03030001") + b"x",
    "a hello without a body": bytes.fromhex("160301000401000000"),
    "SSL 2": bytes.fromhex("802e0100020015000000100100800200800300800400800500800600400700c0") + bytes(16),
    "noise": os.urandom(2048),
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
@pytest.mark.parametrize("end", [accepted_and_raw_peer, client_and_raw_peer], ids=["accepted", "client"])
def test_what_is_no_handshake(end: Callable, noise: bytes) -> None:
    """Anything but a handshake is one ConnectionError, whatever it is; what is sent is TLS: a hello, an alert, or nothing."""
    with end(timeout=LONG) as (subject, peer):
        peer.sendall(noise)
        peer.shutdown(1)
        with pytest.raises(ConnectionError) as caught:
            subject.start_tls(server_context() if end is accepted_and_raw_peer else client_context())
        assert subject.state == "broken"
        assert "_ssl.c" not in str(caught.value)
        subject.close()
        try:
            sent = in_the_clear(peer)
        except ConnectionResetError:  # some of the noise was not read
            sent = b""
        assert sent[:1] in (b"", b"\x15", b"\x16")
