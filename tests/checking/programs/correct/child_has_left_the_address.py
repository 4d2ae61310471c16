"""A listener that a child has a copy of, bound again when both have closed it."""

import os
import socket

listener = socket.create_server(("127.0.0.1", 0))
address = listener.getsockname()
child = os.fork()
if not child:
    listener.close()
    os._exit(0)
os.waitpid(child, 0)
listener.close()
with socket.socket() as again:
    again.bind(address)
