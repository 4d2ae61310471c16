"""The descriptor is closed by its number, and then the object is closed."""

import os
import socket

sock = socket.socket()
os.close(sock.fileno())
sock.close()  # FOUND: order
