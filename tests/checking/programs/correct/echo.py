"""A server and a client talk."""

import socket

with socket.socket() as server, socket.socket() as client:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 0))
    server.listen(5)
    client.connect(server.getsockname())
    connection, address = server.accept()
    with connection:
        client.sendall(b"question")
        connection.sendall(connection.recv(100).upper())
        assert client.recv(100) == b"QUESTION"
        assert client.getsockname() == connection.getpeername() == address
