"""epoll was to tell once more of a socket that is closed."""

import select
import socket

waiting, peer = socket.socketpair()
with select.epoll() as waited, peer:
    waited.register(waiting.fileno(), select.EPOLLIN | select.EPOLLONESHOT)
    peer.send(b"x")
    waited.poll(5)
    waited.modify(waiting.fileno(), select.EPOLLIN | select.EPOLLONESHOT)
    waiting.close()  # FOUND: order
    waited.poll(0)
