"""A client sends before it has connected."""

import socket

with socket.socket() as client:
    client.send(b"hello")  # FOUND: order
