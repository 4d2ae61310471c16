"""A file keeps its socket open when the socket was closed."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        file = client.makefile("rb")
        client.close()
        connection.sendall(b"still there")
        connection.shutdown(socket.SHUT_WR)
        with file:
            assert file.read() == b"still there"
