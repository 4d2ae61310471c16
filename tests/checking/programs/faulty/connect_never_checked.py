"""A non-blocking connect is under way, and nobody looks how it came out."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    client.send(b"hello")  # FOUND: portability
