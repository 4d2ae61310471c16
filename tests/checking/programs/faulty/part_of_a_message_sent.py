"""send() takes what fits, and nobody looks how much."""

import socket

left, right = socket.socketpair()
left.setblocking(False)
left.send(bytes(10_000_000))  # FOUND: loss
left.close()
right.close()
