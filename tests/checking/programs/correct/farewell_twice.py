"""A session is closed twice, and each time says a farewell that may fail."""

import contextlib
import socket


def close(sock):
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        print(error)
    sock.close()


left, right = socket.socketpair()
close(left)
close(left)
right.close()
