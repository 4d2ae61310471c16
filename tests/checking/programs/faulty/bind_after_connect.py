"""A client binds when connect() has given it an address already."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    client.bind(("127.0.0.1", 0))  # FOUND: order
