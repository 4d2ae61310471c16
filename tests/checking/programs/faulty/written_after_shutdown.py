"""A program writes to the file over a socket whose sends were ended."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        file = client.makefile("wb", buffering=0)
        client.shutdown(socket.SHUT_WR)
        with file:
            file.write(b"late")  # FOUND: order
