"""A server reads from its listening socket."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    server.recv(100)  # FOUND: order
