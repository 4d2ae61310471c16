"""A client takes bind() for connect()."""

import socket

with socket.socket() as client:
    client.bind(("127.0.0.1", 0))
    client.sendall(b"hello")  # FOUND: order
