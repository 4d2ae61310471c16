"""open_connection(): a connected client in one line, awaited."""

from __future__ import annotations

from lifecycle.net.aio.sockets import Client


async def open_connection(host: str, port: int) -> Client:
    """A client that is connected to a host: open() and connect() in one.

    host: a numeric address, or a name, whose addresses are tried as RFC 8305 has it. Raises what connect() raises; the client
    is closed then, and after a cancellation.
    """
    client = Client()
    try:
        client.open()
        await client.connect(host, port)
    except BaseException:
        client.close()
        raise
    return client
