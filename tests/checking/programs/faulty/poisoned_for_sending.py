"""A shutdown() before the connect fails, and yet ends the connection that is made afterwards."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    try:
        client.shutdown(socket.SHUT_WR)
    except OSError as error:
        print(error)
    client.connect(server.getsockname())
    client.sendall(b"hello")  # FOUND: order
