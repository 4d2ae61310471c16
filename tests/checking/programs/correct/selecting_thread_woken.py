"""A thread that selects is woken by a pair, and closes its socket itself."""

import select
import socket
import threading

left, right = socket.socketpair()
waker, woken = socket.socketpair()


def read():
    with left, woken:
        select.select([left, woken], [], [])


thread = threading.Thread(target=read)
thread.start()
waker.send(b"x")
thread.join()
waker.close()
right.close()
