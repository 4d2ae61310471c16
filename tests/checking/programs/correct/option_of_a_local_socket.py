"""Local sockets take SO_REUSEADDR at any time: it has no effect on a path."""

import os
import socket
import tempfile

with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
    server.bind(os.path.join(folder, "server"))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.listen()
