"""A server ends its sends, and sends a file."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        connection.shutdown(socket.SHUT_WR)
        with open(__file__, "rb") as file:
            connection.sendfile(file)  # FOUND: order
