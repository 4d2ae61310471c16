"""A shutdown whose error says that the peer has gone is not a mistake."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()
        try:
            client.recv(100)
        except ConnectionResetError as error:
            print(error)
        try:
            client.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            print(error)
