"""A server binds again, to change its port."""

import socket

with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.bind(("127.0.0.1", 0))  # FOUND: order
