"""A server logs the peer of its listening socket."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getpeername())  # FOUND: order
