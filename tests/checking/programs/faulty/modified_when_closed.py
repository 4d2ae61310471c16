"""A program that changes what it waits for on a socket that it has closed."""

import selectors
import socket

with selectors.DefaultSelector() as selector:
    near, far = socket.socketpair()
    selector.register(near, selectors.EVENT_READ)
    near.close()
    far.close()
    selector.modify(near, selectors.EVENT_WRITE)  # FOUND: order
