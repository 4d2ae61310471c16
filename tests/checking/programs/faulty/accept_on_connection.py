"""A server accepts from the connection instead of the listener."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    connection, _ = server.accept()
    with connection:
        connection.accept()  # FOUND: order
