"""A server changes its backlog."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    server.listen(1)
    server.listen(100)
    with socket.create_connection(server.getsockname()):
        server.accept()[0].close()
