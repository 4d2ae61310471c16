"""A receiver of a group binds and joins."""

import socket

with socket.socket(type=socket.SOCK_DGRAM, proto=socket.IPPROTO_UDP) as receiver:
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    receiver.bind(("", 0))
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    receiver.setblocking(False)
    try:
        receiver.recvfrom(100)
    except BlockingIOError as error:
        print(error)
