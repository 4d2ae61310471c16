"""A non-blocking connect is asked for again until it says that it is made."""

import errno
import socket
import time

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.setblocking(False)
    while (number := client.connect_ex(server.getsockname())) not in (0, errno.EISCONN):
        assert number in (errno.EINPROGRESS, errno.EALREADY)
        time.sleep(0.001)
    client.send(b"hello")
