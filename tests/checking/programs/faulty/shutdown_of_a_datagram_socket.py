"""A receiver is shut down, which needs a peer."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver:
    receiver.bind(("127.0.0.1", 0))
    receiver.shutdown(socket.SHUT_RD)  # FOUND: order
