"""A client is made again and again, and closed never."""

import socket


def ask(address):
    client = socket.create_connection(address)  # FOUND: leak
    client.sendall(b"question")


with socket.create_server(("127.0.0.1", 0)) as server:
    ask(server.getsockname())
