"""A client tries the same socket again when it has closed it."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    client = socket.socket()
    client.close()
    print(client.connect_ex(server.getsockname()))  # FOUND: order
