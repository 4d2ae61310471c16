"""A receiver asks who its peer is."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver:
    receiver.bind(("127.0.0.1", 0))
    print(receiver.getpeername())  # FOUND: order
