"""A method of the program ends whatever there is; its caller takes the error."""

import socket


class Session:
    def __init__(self):
        self.socket = socket.socket()

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)  # FOUND: note


session = Session()
try:
    session.end()
except (OSError, ValueError):
    print("it was not connected")
finally:
    session.socket.close()
