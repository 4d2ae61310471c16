"""A client goes on after the block that has closed its socket."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(server.getsockname()) as client:
        client.sendall(b"question")
    print(client.recv(100))  # FOUND: order
