"""A client ends both directions, and receives: nothing on Linux, an error on Windows."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        client.shutdown(socket.SHUT_RDWR)
        print(client.recv_into(bytearray(100)))  # FOUND: portability
