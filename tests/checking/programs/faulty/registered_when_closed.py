"""A socket is closed before it is unregistered; the next one gets its number."""

import selectors
import socket

with selectors.DefaultSelector() as selector:
    left, right = socket.socketpair()
    selector.register(left, selectors.EVENT_READ)
    left.close()  # FOUND: order
    other, another = socket.socketpair()
    try:
        selector.register(other, selectors.EVENT_READ)
    except KeyError as error:
        print(error)
    for each in (right, other, another):
        each.close()
