"""A non-blocking connect was refused, and the next call is the one that fails."""

import socket
from contextlib import suppress

with socket.socket() as unused, socket.socket() as client:
    unused.bind(("127.0.0.1", 0))
    client.setblocking(False)
    client.connect_ex(unused.getsockname())
    with suppress(ConnectionRefusedError):
        socket.create_connection(unused.getsockname())  # which is refused after the first one
    client.send(b"hello")  # FOUND: order
