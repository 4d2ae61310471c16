"""A thread accepts with a time-out; its listener is closed meanwhile, and it sees that at the next look."""

import contextlib
import socket
import threading

server = socket.create_server(("127.0.0.1", 0))
server.settimeout(0.1)
begun = threading.Event()


def accept():
    begun.set()
    with contextlib.suppress(OSError):
        server.accept()


thread = threading.Thread(target=accept)
thread.start()
begun.wait()
server.close()
thread.join()
