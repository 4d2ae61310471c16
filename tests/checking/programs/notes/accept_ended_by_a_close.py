"""A thread accepts until its listener is closed, and takes the error for the end."""

import socket

server = socket.create_server(("127.0.0.1", 0))
server.close()
while True:
    try:
        connection, _ = server.accept()  # FOUND: note
    except OSError:
        break
