"""A server accepts from a listener that it has shut down."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    server.shutdown(socket.SHUT_RD)  # FOUND: portability
    server.accept()  # FOUND: order
