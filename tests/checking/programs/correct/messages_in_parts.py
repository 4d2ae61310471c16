"""sendmsg() with an address needs no peer."""

import socket

with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
    receiver.bind(("127.0.0.1", 0))
    sender.sendmsg([b"he", b"llo"], [], 0, receiver.getsockname())
    buffer = bytearray(100)
    assert receiver.recvmsg_into([buffer])[0] == 5
