"""A server that does not wait accepts and reads when there is something."""

import select
import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    server.setblocking(False)
    try:
        server.accept()
    except BlockingIOError as error:
        print(error)
    with socket.create_connection(server.getsockname()) as client:
        select.select([server], [], [], 5)
        connection, _ = server.accept()
        with connection:
            connection.setblocking(False)
            try:
                connection.recv(100)
            except BlockingIOError as error:
                print(error)
            client.sendall(b"hello")
            select.select([connection], [], [], 5)
            assert connection.recv(100) == b"hello"
