"""Two sockets exchange messages; the first one sent binds its sender."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
    receiver.bind(("127.0.0.1", 0))
    sender.sendto(b"hello", receiver.getsockname())
    data, address = receiver.recvfrom(100)
    assert address[1] == sender.getsockname()[1]
    receiver.sendto(data, address)
    assert sender.recv(100) == b"hello"
    sender.sendto(b"", receiver.getsockname())
    assert receiver.recv(100) == b""
    sender.sendto(b"again", receiver.getsockname())
    assert receiver.recv(100) == b"again"
