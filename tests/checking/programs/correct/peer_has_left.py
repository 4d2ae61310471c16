"""A client sends to a peer that has left, and gets the error, again when its file is closed."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        file = client.makefile("wb")
        connection.close()
        try:
            for _ in range(100):
                file.write(b"x" * 100000)
                file.flush()
        except OSError as error:
            print(error)
        try:
            file.close()
        except OSError as error:
            print(error)
