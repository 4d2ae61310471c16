"""A descriptor goes from one object to another, which goes on where the first one was."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        client.shutdown(socket.SHUT_WR)
        number = client.detach()
        with socket.socket(fileno=number) as again:
            connection.sendall(b"hello")
            assert again.recv(100) == b"hello"
