"""The farewell to somebody who was never there is caught, and the reason is raised again."""

import socket


def connect(address):
    sock = socket.socket()
    try:
        sock.connect(address)
    except OSError as error:
        try:  # noqa: SIM105
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()
        raise error


with socket.socket() as unused:
    unused.bind(("127.0.0.1", 0))
    try:
        connect(unused.getsockname())
    except ConnectionRefusedError:
        print("nobody there: try the next one")
