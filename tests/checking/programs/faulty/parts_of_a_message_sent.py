"""sendmsg() takes what fits of several parts, and nobody looks how much."""

import socket

left, right = socket.socketpair()
left.setblocking(False)
left.sendmsg([b"head", bytes(10_000_000)])  # FOUND: loss
left.close()
right.close()
