"""A client chooses its own address."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.bind(("127.0.0.1", 0))
    before = client.getsockname()
    client.connect(server.getsockname())
    assert client.getsockname() == before
