"""The descriptor was registered before the connect began."""

import select
import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.setblocking(False)
    poll = select.poll()
    poll.register(client.fileno(), select.POLLOUT)
    client.connect_ex(server.getsockname())
    poll.poll(5000)
    client.send(b"hello")
