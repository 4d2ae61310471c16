"""A client shuts down before it is connected."""

import socket

with socket.socket() as client:
    client.shutdown(socket.SHUT_RDWR)  # FOUND: order
