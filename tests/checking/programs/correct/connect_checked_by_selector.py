"""A selector waits for the connect, and the first send shows that it is made."""

import selectors
import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client, selectors.DefaultSelector() as selector:
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    selector.register(client, selectors.EVENT_WRITE)
    selector.select(5)
    assert client.send(b"hello") == 5
