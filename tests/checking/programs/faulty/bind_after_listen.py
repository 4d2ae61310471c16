"""A server binds when it listens already."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    server.bind(("127.0.0.1", 0))  # FOUND: order
