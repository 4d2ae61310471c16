"""Two objects stand for one connection, and each is closed."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        with client.dup() as double:
            client.close()
            double.sendall(b"hello")
        assert connection.recv(100) == b"hello"
        assert connection.recv(100) == b""
