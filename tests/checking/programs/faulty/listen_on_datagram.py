"""A program listens for datagrams."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver:
    receiver.bind(("127.0.0.1", 0))
    receiver.listen()  # FOUND: order
