"""A server answers on its listening socket."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    connection, _ = server.accept()
    with connection:
        server.sendall(b"welcome")  # FOUND: order
