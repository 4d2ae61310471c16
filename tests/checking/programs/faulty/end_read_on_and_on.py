"""A loop waits for a newline that does not come, and does not see the end."""

import socket

left, right = socket.socketpair()
right.sendall(b"no newline")
right.close()
line = b""
for _ in range(200):
    line += left.recv(100)  # FOUND: loss
left.close()
