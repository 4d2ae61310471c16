"""A sender uses send() and has no peer."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as sender:
    sender.send(b"hello")  # FOUND: order
