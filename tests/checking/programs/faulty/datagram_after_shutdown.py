"""A datagram socket sends when its sends were ended."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
    receiver.bind(("127.0.0.1", 0))
    sender.connect(receiver.getsockname())
    sender.shutdown(socket.SHUT_WR)
    sender.send(b"hello")  # FOUND: order
