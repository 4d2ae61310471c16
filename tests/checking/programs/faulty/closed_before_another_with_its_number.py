"""A selector keeps a closed socket; others get its number, which are not registered, and their close() is no mistake."""

import contextlib
import select
import selectors
import socket

with selectors.DefaultSelector() as selector, contextlib.closing(getattr(select, "epoll", selectors.PollSelector)()) as waiting:
    left, right = socket.socketpair()
    selector.register(left, selectors.EVENT_READ)
    waiting.register(left, selectors.EVENT_READ)
    left.close()  # FOUND: order
    selector.select(0)
    for other in [socket.socket() for _ in range(20)]:
        other.close()
    selector.select(0)
    waiting.poll(0) if hasattr(waiting, "poll") else waiting.select(0)
    right.close()
