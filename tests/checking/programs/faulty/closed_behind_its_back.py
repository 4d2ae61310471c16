"""A program closes the descriptor, and goes on with the object."""

import os
import socket

left, right = socket.socketpair()
with right:
    os.close(left.fileno())
    try:
        left.sendall(b"hello")  # FOUND: order
    finally:
        left.detach()
