"""The peer has ended its sends, and still reads."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        connection.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
        client.sendall(b"you can still hear me")
        client.shutdown(socket.SHUT_WR)
        assert connection.recv(100)
        assert connection.recv(100) == b""
