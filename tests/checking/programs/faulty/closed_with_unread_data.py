"""A server answers and closes with the request unread: the reset eats the answer."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    client.sendall(b"request")
    accepted, _ = server.accept()
    accepted.recv(1)
    accepted.setblocking(False)
    size = accepted.send(bytes(50_000_000))
    accepted.close()  # FOUND: loss
    print(size)
