"""A server stops listening by shutdown(), and listens again: on another port."""

import socket

with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.listen()
    server.shutdown(socket.SHUT_RD)  # FOUND: portability
    server.listen()  # FOUND: portability
