"""A client asks for its peer before it has one."""

import socket

with socket.socket() as client:
    try:
        print(client.getpeername())  # FOUND: note
    except OSError as error:
        print(error)
