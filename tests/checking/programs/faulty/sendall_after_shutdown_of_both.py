"""A server ends both directions, and answers."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        connection.shutdown(socket.SHUT_RDWR)
        connection.sendall(b"good bye")  # FOUND: order
