"""A program asks for the address of a socket that has none, which Winsock refuses."""

import socket

with socket.socket() as client:
    print(client.getsockname())  # FOUND: portability
