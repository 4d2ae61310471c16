"""connect_ex() is polled on one socket until the server is there."""

import socket

late = socket.socket()
late.bind(("127.0.0.1", 0))
with late, socket.socket() as client:
    client.connect_ex(late.getsockname())
    while client.connect_ex(late.getsockname()):  # FOUND: portability
        late.listen()
