"""A program sets the time-out of a socket that is closed."""

import socket

client = socket.socket()
client.close()
client.settimeout(5)  # FOUND: order
