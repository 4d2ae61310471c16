"""A client connects again to be sure."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.connect(server.getsockname())
    client.connect(server.getsockname())  # FOUND: order
