"""A socket is unregistered after its close(), before the selector waits again, which `selectors` allows."""

import selectors
import socket

with selectors.DefaultSelector() as selector:
    left, right = socket.socketpair()
    selector.register(left, selectors.EVENT_READ)
    left.close()
    selector.unregister(left)
    selector.select(0)
    right.close()
