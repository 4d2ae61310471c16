"""open_connection(): a connected client in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle.net.blocking.client import Client

if TYPE_CHECKING:
    import ssl


def open_connection(host: str, port: int, *, tls: ssl.SSLContext | None = None, timeout: float | None = None) -> Client:
    """A client that is connected to a host: open() and connect() in one.

    host: a numeric address, or a name, whose addresses are tried as RFC 8305 has it. tls: with it the handshake is
    made too, and the certificate has to be that of `host`. timeout: the client's timeout, for the
    connect too. Raises what connect() and start_tls() raise; the client is closed then.
    """
    client = Client(timeout=timeout)
    try:
        client.open()
        client.connect(host, port)
        if tls is not None:
            client.start_tls(tls, server_hostname=host)
    except BaseException:
        client.close()
        raise
    return client
