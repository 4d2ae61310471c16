"""A client says farewell to nobody."""

import socket

with socket.socket() as client:
    try:
        client.shutdown(socket.SHUT_RDWR)  # FOUND: order
    except OSError as error:
        print(error)
