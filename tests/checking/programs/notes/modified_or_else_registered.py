"""A program learns by modify() whether a descriptor is registered, and registers it where it is not."""

import os
import select

if hasattr(select, "epoll"):
    reading, writing = os.pipe()
    with select.epoll() as waiting:
        waiting.register(reading, select.EPOLLIN)
        os.close(reading)
        try:
            waiting.modify(reading, select.EPOLLIN | select.EPOLLOUT)  # FOUND: note
        except OSError:
            waiting.register(writing, select.EPOLLOUT)
    os.close(writing)
