"""A server listens without an address, which Linux alone takes."""

import socket

with socket.socket() as server:
    server.listen()  # FOUND: portability
    print(server.getsockname())
