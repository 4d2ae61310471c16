"""A socket with a peer sends elsewhere, which macOS and the BSDs refuse."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
    receiver.bind(("127.0.0.1", 0))
    sender.connect(receiver.getsockname())
    sender.sendto(b"hello", receiver.getsockname())  # FOUND: portability
