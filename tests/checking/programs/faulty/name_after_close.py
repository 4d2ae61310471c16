"""A server asks for its address when it no longer listens."""

import socket

server = socket.create_server(("127.0.0.1", 0))
server.close()
print(server.getsockname())  # FOUND: order
