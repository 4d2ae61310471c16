"""A server goes on accepting when its listener is closed."""

import socket

server = socket.create_server(("127.0.0.1", 0))
server.close()
server.accept()  # FOUND: order
