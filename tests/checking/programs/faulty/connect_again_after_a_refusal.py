"""A client tries the same socket again until its server is there."""

import contextlib
import socket

late = socket.socket()
late.bind(("127.0.0.1", 0))
with late, socket.socket() as client:
    with contextlib.suppress(ConnectionRefusedError):
        client.connect(late.getsockname())
    late.listen()
    client.connect(late.getsockname())  # FOUND: portability
