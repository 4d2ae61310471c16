"""A file without a buffer writes what fits, and nobody looks how much."""

import socket

left, right = socket.socketpair()
left.setblocking(False)
with left.makefile("wb", buffering=0) as file:
    file.write(bytes(10_000_000))  # FOUND: loss
left.close()
right.close()
