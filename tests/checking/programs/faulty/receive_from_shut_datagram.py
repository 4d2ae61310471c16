"""A datagram socket receives when its receives were ended, which Winsock refuses."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
    one.bind(("127.0.0.1", 0))
    other.connect(one.getsockname())
    other.shutdown(socket.SHUT_RD)
    other.settimeout(0.05)
    other.recv(100)  # FOUND: portability
