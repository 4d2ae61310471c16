"""A local server listens without a name."""

import socket

with socket.socket(socket.AF_UNIX) as server:
    server.listen()  # FOUND: order
