"""A datagram socket is bound when its first message has bound it already."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
    receiver.bind(("127.0.0.1", 0))
    sender.sendto(b"hello", receiver.getsockname())
    sender.bind(("127.0.0.1", 0))  # FOUND: order
