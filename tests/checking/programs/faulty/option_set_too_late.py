"""The address is to be reused, and it is taken already."""

import socket

with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # FOUND: order
    server.listen()
