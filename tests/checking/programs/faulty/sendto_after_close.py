"""A sender sends on a socket that is closed."""

import socket

sender = socket.socket(type=socket.SOCK_DGRAM)
sender.close()
sender.sendto(b"hello", ("127.0.0.1", 9))  # FOUND: order
