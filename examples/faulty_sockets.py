"""Five faults in a fake socket, found by the suite that follows from the roles, each shown by its shortest sequence."""

import errno
import socket

from lifecycle import ROLES
from lifecycle.conformance import clusters, conform, target_of
from lifecycle.conformance.memory import MemorySockets, MemoryStream


class BindsTwice(MemoryStream):
    """A socket that can be bound again."""

    def bind(self, address: tuple[str, int]) -> None:
        self.port = 0
        super().bind(address)


class AcceptsForEver(MemoryStream):
    """Waits for connections although it does not listen."""

    def accept(self) -> tuple[MemoryStream, tuple[str, int]]:
        if not self.listens:
            raise BlockingIOError(errno.EAGAIN, "no client has connected yet")
        return super().accept()


class EndsInSilence(MemoryStream):
    """Ends its own sends without notifying the peer."""

    def shutdown(self, how: int) -> None:
        super().shutdown(how)
        if self.other is not None and how != socket.SHUT_RD:
            self.other.peer_ended = False


class HidesResets(MemoryStream):
    """Shows a reset as the end of a stream, which never came."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        try:
            return super().recv(size, flags)
        except ConnectionResetError:
            return b""


class ClosesOnce(MemoryStream):
    """Cannot be closed again."""

    def close(self) -> None:
        self.must_be_open()
        super().close()


FAULTS = (BindsTwice, AcceptsForEver, EndsInSilence, HidesResets, ClosesOnce)

found = 0
for fault in FAULTS:
    report = conform(target_of("fake", MemorySockets(fault)), [ROLES["server"], ROLES["client"]])
    causes = clusters(report.unexplained)
    found += bool(causes)
    print(f"{fault.__name__}: {len(report.unexplained)} sequences fail, of {len(causes)} causes")
    shortest = min((cause.shortest for cause in causes), key=lambda divergence: len(divergence.steps))
    print(f"  {' / '.join(shortest.steps)}: expected {shortest.expected}, got {shortest.got}")
print(f"found {found} of {len(FAULTS)} faults")
