"""A connect that is under way has ended when select() or poll() says that there is data."""

import select
import socket
from contextlib import suppress

with socket.create_server(("127.0.0.1", 0)) as listener:
    for wait in ("select", "poll"):
        with socket.socket() as client:
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(listener.getsockname())
            connection = listener.accept()[0]
            with connection:
                connection.sendall(b"hello")
                if wait == "select":
                    select.select([client], [], [], 10)
                else:
                    poll = select.poll()
                    poll.register(client, select.POLLIN)
                    poll.poll(10_000)
                assert client.recv(5) == b"hello"
