"""Sockets that exist in memory only: for tests that shall need no network, and as the fake that the suite is tried on.

They are made like `socket.socket` and have its methods. Nothing in them takes time: a call that would wait until somebody else
acts raises TimeoutError at once where it may wait for a while, since nobody else can act meanwhile.
"""

from lifecycle.conformance.memory.datagram import MemoryDatagram
from lifecycle.conformance.memory.network import Network
from lifecycle.conformance.memory.stream import MemoryStream

__all__ = ["MemoryDatagram", "MemorySockets", "MemoryStream", "Network"]


class MemorySockets:
    """Makes sockets of a network of its own; to be called as `socket.socket` is.

    stream, datagram: the classes, perhaps one's own.
    """

    def __init__(self, stream: type[MemoryStream] = MemoryStream, datagram: type[MemoryDatagram] = MemoryDatagram) -> None:
        self._network = Network()
        self._classes: dict[int, type[MemoryStream] | type[MemoryDatagram]] = {stream.kind: stream, datagram.kind: datagram}

    def __call__(self, family: int, kind: int) -> MemoryStream | MemoryDatagram:
        """A new socket."""
        return self._classes[kind](self._network)
