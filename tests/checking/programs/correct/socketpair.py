"""A pair is connected from the beginning, of whichever kind."""

import socket

for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    left, right = socket.socketpair(type=kind)
    with left, right:
        left.send(b"hello")
        assert right.recv(100) == b"hello"
        right.sendall(b"hello")
        buffer = bytearray(10)
        assert left.recv_into(buffer) == 5
