"""A receiver has no address: it would wait for ever."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver:
    receiver.settimeout(0.05)
    receiver.recvfrom(100)  # FOUND: order
