"""A file is made over a socket that is closed, and read."""

import socket

left, right = socket.socketpair()
right.close()
left.close()
with left.makefile("rb") as file:
    file.read(10)  # FOUND: order
