"""A local stream is closed with unread data: its peer still gets what was sent, and learns of the close afterwards."""

import socket

closed, peer = socket.socketpair()
with peer:
    peer.send(b"never read")
    closed.send(b"in the peer's buffer")
    closed.close()
    assert peer.recv(100) == b"in the peer's buffer"
