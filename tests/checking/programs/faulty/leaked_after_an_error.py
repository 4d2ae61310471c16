"""A connect fails, and its socket is forgotten."""

import socket


def reachable(address):
    probe = socket.socket()  # FOUND: leak
    return probe.connect_ex(address) == 0


with socket.socket() as unused:
    unused.bind(("127.0.0.1", 0))
    print(reachable(unused.getsockname()))
