"""A shutdown() before the connect fails, and yet ends the connection that is made afterwards."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    try:
        client.shutdown(socket.SHUT_RD)
    except OSError as error:
        print(error)
    client.connect(server.getsockname())
    connection, _ = server.accept()
    with connection:
        print(client.recv(100))  # FOUND: order
