"""A sender uses sendmsg() with neither an address nor a peer."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as sender:
    sender.bind(("127.0.0.1", 0))
    sender.sendmsg([b"hello"])  # FOUND: order
