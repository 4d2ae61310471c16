"""SO_ERROR says that a connect was refused, and the same socket connects again."""

import select
import socket

late = socket.socket()
late.bind(("127.0.0.1", 0))
with late, socket.socket() as client:
    client.setblocking(False)
    if client.connect_ex(late.getsockname()):
        select.select([], [client], [], 5)
        client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    late.listen()
    client.connect_ex(late.getsockname())  # FOUND: portability
