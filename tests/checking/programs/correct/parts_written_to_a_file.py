"""The rest of what a file without a buffer has written follows, and a buffer over it sends the rest itself."""

import io
import socket
import threading


def receive_all(sock):
    while sock.recv(100_000):
        pass


left, right = socket.socketpair()
left.settimeout(5)
reader = threading.Thread(target=receive_all, args=[right])
reader.start()
with left.makefile("wb", buffering=0) as file:
    rest = memoryview(bytes(1_000_000))
    while rest:
        rest = rest[file.write(rest) :]
with io.BufferedWriter(left.makefile("wb", buffering=0), 1_000_000) as buffered:
    buffered.write(bytes(900_000))
    buffered.flush()
left.close()
reader.join()
right.close()
