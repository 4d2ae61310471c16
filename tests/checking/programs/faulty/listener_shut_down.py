"""A server shuts its listening socket down, which Winsock refuses."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    server.shutdown(socket.SHUT_RDWR)  # FOUND: portability
