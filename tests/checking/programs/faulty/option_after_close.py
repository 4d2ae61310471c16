"""A program sets an option of a socket that is closed."""

import socket

client = socket.socket()
client.close()
client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # FOUND: order
