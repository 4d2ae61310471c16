"""A non-blocking connect is under way, and its result is never read."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    client.send(b"hello")  # FOUND: portability
