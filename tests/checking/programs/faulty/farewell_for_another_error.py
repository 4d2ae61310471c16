"""A farewell in a `try` that takes another error is not guarded."""

import socket

with socket.socket() as client:
    try:  # noqa: SIM105
        client.shutdown(socket.SHUT_RDWR)  # FOUND: order
    except ConnectionResetError:
        pass
