"""A library closes the connection after the answer that it is given, and its own thread reads on."""

import socket
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "site-packages"))
relay = import_module("relay")
sys.path.pop(0)


def handle(connection, data):
    connection.answer(data)


left, right = socket.socketpair()
with right:
    connection = relay.Connection(left, handle)
    right.sendall(b"question")
    assert right.recv(100) == b"question"
    connection.thread.join()
