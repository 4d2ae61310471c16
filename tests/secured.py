"""Connections over TLS, arranged for a test: both ends ours, or one of them an ssl.SSLSocket."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from loopback import LONG, Background, accepted_and_raw_peer, client_and_raw_peer, connected_pair

from lifecycle import Accepted, Client
from lifecycle.conformance.adapters.certificates import authority, client_context, server_context

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

VERSIONS = pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3], ids=lambda version: version.name)


@contextmanager
def secured_pair(version: ssl.TLSVersion | None = None) -> Iterator[tuple[Client, Accepted]]:
    """A client and the accepted end of its connection, over TLS."""
    with connected_pair(timeout=LONG) as (client, accepted):
        server = Background(lambda: accepted.start_tls(server_context(version)))
        client.start_tls(client_context(version, checks_name=True), server_hostname="localhost")
        server.result()
        yield client, accepted


@contextmanager
def client_of_ssl(
    serving: ssl.SSLContext, asking: ssl.SSLContext | None = None, **options: Any
) -> Iterator[tuple[Client, ssl.SSLSocket]]:
    """A client over TLS, and the ssl.SSLSocket that serves it. options: of start_tls()."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        serves = Background(lambda: serving.wrap_socket(peer, server_side=True, suppress_ragged_eofs=False))
        client.start_tls(asking or client_context(), server_hostname="localhost", **options)
        with serves.result() as secured:
            yield client, secured


@contextmanager
def accepted_of_ssl(serving: ssl.SSLContext, asking: ssl.SSLContext) -> Iterator[tuple[Accepted, ssl.SSLSocket]]:
    """An accepted connection over TLS, and the ssl.SSLSocket that has connected."""
    with accepted_and_raw_peer(timeout=LONG) as (accepted, peer):
        serves = Background(lambda: accepted.start_tls(serving))
        with asking.wrap_socket(peer, server_hostname="localhost", suppress_ragged_eofs=False) as secured:
            serves.result()
            yield accepted, secured


def wants_certificate(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A server's context that refuses a client without a certificate of the trusted authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("localhost").configure_cert(context)
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def in_the_clear(sock: socket.socket) -> bytes:
    """What has arrived to a plain socket, to its end."""
    return b"".join(iter(lambda: sock.recv(65536), b""))
