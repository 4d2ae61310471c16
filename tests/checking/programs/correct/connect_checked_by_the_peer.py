"""A non-blocking connect is made when there is a peer."""

import socket
import time

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    while True:
        try:
            client.getpeername()
            break
        except OSError:
            time.sleep(0.001)
    client.send(b"hello")
