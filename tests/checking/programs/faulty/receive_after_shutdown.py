"""A client ends its receives, and receives: nothing on Linux, an error on Windows."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        client.shutdown(socket.SHUT_RD)
        print(client.recv(100))  # FOUND: portability
