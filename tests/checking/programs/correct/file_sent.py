"""A server sends a file."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        with open(__file__, "rb") as file:
            sent = connection.sendfile(file)
        connection.close()
        received = b"".join(iter(lambda: client.recv(65536), b""))
        assert len(received) == sent
