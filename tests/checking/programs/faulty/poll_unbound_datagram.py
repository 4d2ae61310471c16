"""A receiver without an address looks again and again."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver:
    receiver.setblocking(False)
    try:
        receiver.recv(100)  # FOUND: order
    except BlockingIOError as error:
        print(error)
