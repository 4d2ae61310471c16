"""Certificates for tests, made when they are first asked for, and contexts of both sides of TLS that use them."""

from __future__ import annotations

import ssl
import threading
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme

NAME = "localhost"
"""The name in the server's certificate"""

CAN_BE_MADE = find_spec("trustme") is not None
"""Whether the package that makes certificates is installed"""


_authorities: dict[str, trustme.CA] = {}
_making = threading.Lock()


def authority(name: str = "trusted") -> trustme.CA:
    """A certificate authority for each name; a context that trusts one of them does not trust the others."""
    import trustme  # an optional dependency, which takes a tenth of a second to load

    with _making:  # both sides of a test may ask at once
        if name not in _authorities:
            _authorities[name] = trustme.CA()
        return _authorities[name]


@cache
def server_context(version: ssl.TLSVersion | None = None, *, by: str = "trusted", tickets: int = 0) -> ssl.SSLContext:
    """A server's context. by: the authority of its certificate. tickets: how many it sends after a handshake of TLS 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority(by).issue_cert(NAME, "127.0.0.1").configure_cert(context)
    context.num_tickets = tickets
    return _of_version(context, version)


@cache
def client_context(
    version: ssl.TLSVersion | None = None, *, trusts: str = "trusted", checks_name: bool = False
) -> ssl.SSLContext:
    """A client's context. trusts: the authority. checks_name: whether the certificate must have the server's name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = checks_name
    authority(trusts).configure_trust(context)
    return _of_version(context, version)


def context_of(server_side: bool, version: ssl.TLSVersion | None = None, *, authority: str = "trusted") -> ssl.SSLContext:
    """The context of one side."""
    return server_context(version, by=authority) if server_side else client_context(version, trusts=authority)


def _of_version(context: ssl.SSLContext, version: ssl.TLSVersion | None) -> ssl.SSLContext:
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context
