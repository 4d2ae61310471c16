"""A thread is woken whether or not it is there still."""

import contextlib
import socket

waker, woken = socket.socketpair()
woken.close()
waker.close()
with contextlib.suppress(OSError):
    waker.send(b"x")  # FOUND: note
