"""Closing twice is fine, and so are asking a closed socket for its descriptor and detaching it."""

import socket

with socket.socket() as client:
    client.close()
    client.close()
    assert client.fileno() == -1
    assert client.detach() == -1
client.close()
