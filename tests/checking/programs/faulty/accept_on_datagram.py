"""A program accepts datagrams."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver:
    receiver.bind(("127.0.0.1", 0))
    receiver.accept()  # FOUND: order
