"""A client sends on a socket that it has closed."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    client = socket.create_connection(server.getsockname())
    client.close()
    client.send(b"hello")  # FOUND: order
