"""A connect is refused; the socket is closed, and a new one is used."""

import socket

with socket.socket() as unused:
    unused.bind(("127.0.0.1", 0))
    try:
        socket.create_connection(unused.getsockname())
    except ConnectionRefusedError as error:
        print(error)
    unused.listen()
    with socket.create_connection(unused.getsockname()) as client:
        client.sendall(b"hello")
