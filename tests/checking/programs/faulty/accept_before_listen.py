"""A server accepts, and has forgotten to listen."""

import socket

with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.accept()  # FOUND: order
