"""What was written before the shutdown is sent after it."""

import socket
from contextlib import suppress

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        file = client.makefile("wb")
        file.write(b"buffered")
        client.shutdown(socket.SHUT_WR)
        try:
            file.flush()  # FOUND: order
        finally:
            with suppress(OSError):
                file.close()
