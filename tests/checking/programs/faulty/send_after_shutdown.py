"""A client ends its sends, and sends."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        client.shutdown(socket.SHUT_WR)
        client.send(b"one thing more")  # FOUND: order
