"""A non-blocking connect is refused, and SO_ERROR reports it."""

import select
import socket

with socket.socket() as unused, socket.socket() as client:
    unused.bind(("127.0.0.1", 0))
    client.setblocking(False)
    client.connect_ex(unused.getsockname())
    select.select([], [client], [], 5)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
