"""A client asks for its peer before it has one."""

import socket

with socket.socket() as client:
    print(client.getpeername())  # FOUND: order
