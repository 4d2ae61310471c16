"""Sockets are closed of which epoll was to tell once: one it has told of, one it is to tell nothing more of, as trio does."""

import select
import socket

told, peer = socket.socketpair()
disarmed, other = socket.socketpair()
with select.epoll() as waited, peer, other:
    waited.register(told.fileno(), select.EPOLLIN | select.EPOLLONESHOT)
    waited.register(disarmed.fileno(), select.EPOLLIN | select.EPOLLONESHOT)
    peer.send(b"x")
    waited.poll(5)
    waited.modify(disarmed.fileno(), select.EPOLLONESHOT)
    told.close()
    disarmed.close()
    waited.poll(0)
