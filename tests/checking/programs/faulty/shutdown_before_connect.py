"""A client shuts down before it is connected."""

import socket

with socket.socket() as client:
    try:
        client.shutdown(socket.SHUT_RDWR)  # FOUND: order
    except OSError as error:
        print(error)
