"""A writer goes on after the close, and counts the errors: no stop signal."""

import socket

left, right = socket.socketpair()
right.close()
left.close()
errors = []
try:
    left.send(b"x")  # FOUND: order
except OSError as error:
    errors.append(error)
