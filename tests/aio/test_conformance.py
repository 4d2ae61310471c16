"""The package's own conformance suite against the awaited sockets, on every event loop."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from blocking_face import FACES, Face, ServerFace, in_the_loop, portal_in
from event_loops import EventLoop, every_loop_and
from long_form import part
from loopback import HOST, LONG

from lifecycle import ROLES, aio
from lifecycle.conformance import GovernedAdapter, conform
from lifecycle.conformance.adapters.governed import READ_AHEAD, GovernedStage
from lifecycle.conformance.adapters.objects import OutcomeTrace
from lifecycle.conformance.targets import Target
from lifecycle.roles.words import START_TLS

CLASSES: dict[str, type[Face]] = {face.role.name: face for face in FACES.values()}


class FaceStage(GovernedStage):
    """An awaited socket whose calls are made in the event loop, among its peers."""

    def be_accepted(self) -> None:
        """A server accepts a connection into the object."""
        with ServerFace(timeout=LONG) as server:
            server.create(0, HOST)
            server.listen()
            client = self.connected_to(server.get_sock_name())
            server.accept(self.subject)
        self.meet(client)

    def be_a_file(self) -> None:
        """A SocketFile is laid over the object, and let go of."""
        in_the_loop(lambda: aio.SocketFile(self.subject._awaited).close())

    def read_ahead(self) -> None:
        """A SocketFile over the object takes what has arrived, and is not read."""
        if not self.subject.is_legal(START_TLS.name):
            return
        file = in_the_loop(lambda: aio.SocketFile(self.subject._awaited, archive_compatible=False))
        self._file = file
        with suppress(BlockingIOError):
            in_the_loop(lambda: aio.nowait(file.read(READ_AHEAD)))


class FaceAdapter(GovernedAdapter):
    """The awaited sockets, each call of which is made in the event loop of the module's tests."""

    def __init__(self) -> None:
        super().__init__(CLASSES, name="lifecycle.aio")

    def socket_stage(self, role: str, kind: type[Any], watcher: OutcomeTrace | None) -> FaceStage:
        """A new socket in its initial state."""
        return FaceStage(role, kind, self._loopback, self.engine, watcher)


@every_loop_and("role", CLASSES)
def test_the_awaited_sockets_conform(event_loop: EventLoop, role: str) -> None:
    """Every cell of the role is reached by its shortest sequence, random walks go as the table says, and nothing differs."""
    with portal_in(event_loop):
        report = conform(Target("lifecycle.aio", FaceAdapter), [ROLES[role]], depth=1, walks=part(40, 10))
    (result,) = report.roles
    assert len(result.reached) == len(result.offered) > 0.9 * len(result.cells), "hardly anything was run"
    assert report.passes, "\n".join(map(str, [*report.unexplained, *report.missing.get(role, [])]))
