"""A thread waits for connections, and another one closes the listener."""

import contextlib
import socket
import threading
import time

server = socket.create_server(("127.0.0.1", 0))
address = server.getsockname()


def serve():
    with contextlib.suppress(OSError):
        connection, _ = server.accept()  # FOUND: race
        connection.close()


thread = threading.Thread(target=serve)
thread.start()
time.sleep(0.05)
server.close()
with contextlib.suppress(OSError):
    socket.create_connection(address).close()
thread.join()
