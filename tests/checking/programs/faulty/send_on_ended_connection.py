"""Both sides have ended their streams, and one sends."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        connection.shutdown(socket.SHUT_WR)
        client.recv(100)
        client.shutdown(socket.SHUT_WR)
        client.sendmsg([b"one thing ", b"more"])  # FOUND: order
