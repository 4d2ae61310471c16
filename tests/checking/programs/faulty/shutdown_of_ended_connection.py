"""Both sides have ended their streams, and one of them ends it again."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        client.shutdown(socket.SHUT_WR)
        connection.recv(100)
        connection.shutdown(socket.SHUT_WR)
        client.recv(100)
        client.shutdown(socket.SHUT_RDWR)  # FOUND: order
