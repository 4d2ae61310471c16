"""open_connection(): a connected client in one line."""

from __future__ import annotations

from lifecycle.net.blocking.sockets import Client


def open_connection(host: str, port: int, *, timeout: float | None = None) -> Client:
    """A client that is connected to a host: open() and connect() in one.

    host: a numeric address, or a name, whose addresses are tried as RFC 8305 has it. timeout: the client's timeout, for the
    connect too. Raises what connect() raises; the client is closed then.
    """
    client = Client(timeout=timeout)
    try:
        client.open()
        client.connect(host, port)
    except BaseException:
        client.close()
        raise
    return client
