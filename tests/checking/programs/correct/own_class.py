"""A program's own class of socket, with slots, an override and a weak reference to it."""

import socket
import weakref


class Counting(socket.socket):
    __slots__ = ("sent",)

    def send(self, data, *flags):
        self.sent = getattr(self, "sent", 0) + len(data)
        return super().send(data, *flags)


with socket.create_server(("127.0.0.1", 0)) as server, Counting() as client:
    client.connect(server.getsockname())
    client.send(b"hello")
    assert client.sent == 5
    assert weakref.ref(client)() is client
    assert isinstance(client, socket.socket)
    assert type(server) is socket.socket
