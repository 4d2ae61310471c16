"""A socket with a time-out connects, sends and receives."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=5) as client:
    client.settimeout(0.02)
    try:
        client.recv(1)
    except TimeoutError as error:
        print(error)
    client.sendall(b"hello")
