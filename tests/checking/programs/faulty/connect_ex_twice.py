"""A client connects again, and does not look at the error number that reports the mistake."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.connect_ex(server.getsockname())
    client.connect_ex(server.getsockname())  # FOUND: order
    client.sendall(b"hello")
