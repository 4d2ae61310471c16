"""A server accepts on a socket that is just made."""

import socket

with socket.socket() as server:
    server.settimeout(1)
    server.accept()  # FOUND: order
