"""A non-blocking connect: wait until the socket can be written, then read SO_ERROR."""

import select
import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.setblocking(False)
    try:
        client.connect(server.getsockname())
    except BlockingIOError:
        select.select([], [client], [], 5)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    client.send(b"hello")
