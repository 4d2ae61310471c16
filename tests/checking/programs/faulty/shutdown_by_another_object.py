"""Two objects are made over the same socket; one ends sending, and the other sends."""

import socket

left, right = socket.socketpair()
other = socket.fromfd(left.fileno(), left.family, left.type)
left.shutdown(socket.SHUT_WR)
try:
    other.send(b"late")  # FOUND: order
finally:
    left.close()
    right.close()
    other.close()
