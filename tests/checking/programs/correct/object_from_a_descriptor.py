"""A second object is made from a descriptor."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        with socket.fromfd(client.fileno(), socket.AF_INET, socket.SOCK_STREAM) as double:
            double.sendall(b"hello")
            assert connection.recv(100) == b"hello"
        with (
            socket.fromfd(server.fileno(), socket.AF_INET, socket.SOCK_STREAM) as double,
            socket.create_connection(double.getsockname()),
        ):
            double.accept()[0].close()
