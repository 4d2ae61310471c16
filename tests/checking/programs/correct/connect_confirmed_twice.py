"""SO_ERROR has shown that there is a connection, and connect_ex() is called again to make sure, as Twisted does."""

import errno
import select
import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
    client.setblocking(False)
    client.connect_ex(server.getsockname())
    select.select([], [client], [], 5)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    assert client.connect_ex(server.getsockname()) in (0, errno.EISCONN)
    client.sendall(b"x")
