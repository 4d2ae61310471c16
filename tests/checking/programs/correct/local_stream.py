"""A local server has a path for an address."""

import socket
import tempfile

with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
    print(client.getsockname(), client)
    server.bind(f"{folder}/socket")
    server.listen()
    client.connect(f"{folder}/socket")
    connection, _ = server.accept()
    with connection:
        client.sendall(b"hello")
        assert connection.recv(100) == b"hello"
