"""A duplicate ends the sends of the one connection that both stand for."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection, client.dup() as double:
        double.shutdown(socket.SHUT_WR)
        client.send(b"late")  # FOUND: order
