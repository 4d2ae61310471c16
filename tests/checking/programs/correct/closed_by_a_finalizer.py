"""An object closes its socket when it is collected."""

import gc
import socket


class Session:
    def __init__(self):
        self.socket, self.other = socket.socketpair()
        self.itself = self

    def __del__(self):
        self.socket.close()
        self.other.close()


Session()
gc.collect()
