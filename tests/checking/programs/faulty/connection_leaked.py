"""A server forgets the connections that it has answered."""

import socket


def answer(server):
    connection, _ = server.accept()  # FOUND: leak
    connection.sendall(b"answer")


with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    answer(server)
    print(client.recv(100))
