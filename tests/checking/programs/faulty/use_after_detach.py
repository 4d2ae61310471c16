"""A program uses the object whose descriptor it has handed out."""

import os
import socket

left, right = socket.socketpair()
with right:
    os.close(left.detach())
    left.sendall(b"hello")  # FOUND: order
