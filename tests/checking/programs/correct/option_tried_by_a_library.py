"""A library asks for the reuse of an address that is taken already, in a `try`: it does without."""

import socket
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "site-packages"))
relay = import_module("relay")
sys.path.pop(0)

with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    relay.reuse_address_if_possible(server)
    server.listen()
