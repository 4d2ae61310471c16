"""A closed descriptor is taken out of a poll object, and the error is suppressed: it may be gone already, no mistake."""

import contextlib
import select
import socket

left, right = socket.socketpair()
poll = select.epoll() if hasattr(select, "epoll") else select.poll()
number = left.fileno()
poll.register(number, 1)
left.close()
with contextlib.suppress(OSError):
    poll.unregister(number)
poll.poll(0)
right.close()
if hasattr(poll, "close"):
    poll.close()
