"""A datagram socket sets its peer, talks to it, and then to another one."""

import socket

with (
    socket.socket(type=socket.SOCK_DGRAM) as one,
    socket.socket(type=socket.SOCK_DGRAM) as two,
    socket.socket(type=socket.SOCK_DGRAM) as sender,
):
    for receiver in (one, two):
        receiver.bind(("127.0.0.1", 0))
        sender.connect(receiver.getsockname())
        sender.send(b"hello")
        sender.sendmsg([b"he", b"llo"])
        data, _, _, address = receiver.recvmsg(100)
        receiver.sendto(data, address)
        assert sender.recv(100) == b"hello"
        assert sender.getpeername() == receiver.getsockname()
