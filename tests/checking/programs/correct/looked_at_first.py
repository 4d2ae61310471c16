"""A program peeks at the data that has arrived before it receives it, and asks for 0 bytes."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"hello")
        assert client.recv(2, socket.MSG_PEEK) == b"he"
        assert client.recv(0) == b""
        assert client.recv_into(bytearray(2)) == 2
        assert client.recvfrom(10)[0] == b"llo"
        connection.sendto(b"to whom?", ("192.0.2.1", 9))
        assert client.recv(100) == b"to whom?"
