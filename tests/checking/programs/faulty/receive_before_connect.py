"""A client waits for a greeting before it has connected."""

import socket

with socket.socket() as client:
    client.recv(100)  # FOUND: order
