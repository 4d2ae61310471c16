"""A program takes an open socket out of an epoll object that is closed; the error is not about the socket."""

import select
import socket

if hasattr(select, "epoll"):
    waiting = select.epoll()
    left, right = socket.socketpair()
    with left, right:
        waiting.register(left, select.EPOLLIN)
        waiting.close()
        try:
            waiting.modify(left, select.EPOLLOUT)
        except ValueError as error:
            print(error)
        try:
            waiting.register(right, select.EPOLLOUT)
        except ValueError as error:
            print(error)
