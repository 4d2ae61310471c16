"""A server tells where it has listened, when it no longer does."""

import socket

server = socket.create_server(("127.0.0.1", 0))
server.close()
print(server.getsockname())  # FOUND: order
