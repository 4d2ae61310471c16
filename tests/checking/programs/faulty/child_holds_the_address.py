"""A program that binds the address of a listener which it has closed, and which a child still has."""

import os
import signal
import socket

listener = socket.create_server(("127.0.0.1", 0))
address = listener.getsockname()
child = os.fork()
if not child:
    signal.pause()
listener.close()
try:
    with socket.socket() as again:
        again.bind(address)  # FOUND: leak
finally:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
