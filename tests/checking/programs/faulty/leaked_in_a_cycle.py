"""A session and its socket are forgotten together, in a cycle."""

import gc
import socket


class Session:
    def __init__(self):
        self.socket, self.other = socket.socketpair()  # FOUND: leak
        self.other.close()
        self.handler = self.handle

    def handle(self): ...


Session()
gc.collect()
