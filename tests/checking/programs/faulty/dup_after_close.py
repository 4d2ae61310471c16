"""A socket is duplicated when it is closed."""

import socket

client = socket.socket()
client.close()
client.dup()  # FOUND: order
