"""Local datagrams, with and without a peer."""

import socket
import tempfile

with (
    tempfile.TemporaryDirectory() as folder,
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver,
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
):
    receiver.bind(f"{folder}/socket")
    sender.sendto(b"hello", f"{folder}/socket")
    sender.connect(f"{folder}/socket")
    sender.send(b"hello")
    assert receiver.recv(100) == receiver.recv(100) == b"hello"
