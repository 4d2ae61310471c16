"""A program connects the socket that it listens on."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    server.connect(server.getsockname())  # FOUND: order
