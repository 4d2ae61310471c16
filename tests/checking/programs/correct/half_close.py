"""A client ends its sends, and reads the answer to all of them."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        client.sendall(b"all of it")
        client.shutdown(socket.SHUT_WR)
        request = b"".join(iter(lambda: connection.recv(4), b""))
        connection.sendall(request)
        connection.close()
        assert client.recv(100) == b"all of it"
        assert client.recv(100) == b""
        assert client.recv(100) == b""
