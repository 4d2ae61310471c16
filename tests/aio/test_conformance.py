"""The package's own conformance suite against the awaited sockets, on every event loop."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from blocking_face import FACES, Face, ServerFace, in_the_loop, portal_in
from event_loops import LOOP_PARAMETERS
from loopback import HOST, LONG

from lifecycle import ROLES, aio
from lifecycle.conformance import GovernedAdapter, conform
from lifecycle.conformance.adapters import governed
from lifecycle.conformance.adapters.governed import GovernedStage
from lifecycle.conformance.adapters.peers import StreamPeer
from lifecycle.conformance.targets import Target

CLASSES: dict[str, type[Face]] = {face.role.name: face for face in FACES.values()}


@pytest.fixture(scope="module", params=LOOP_PARAMETERS, autouse=True)
def in_event_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every call of the module's tests is made in one event loop, of each kind in turn."""
    with portal_in(request.param), patch.dict(governed.FIRE, {"accepted": be_accepted, "socket_file": be_a_file}):
        yield


def be_accepted(stage: GovernedStage) -> None:
    """A server accepts a connection into the object."""
    with ServerFace(timeout=LONG) as server:
        server.create(0, HOST)
        server.listen()
        client = stage.loopback.new(socket.SOCK_STREAM)
        stage.kept.append(client)
        client.connect_ex(server.get_sock_name())
        server.accept(stage.subject)
    assert isinstance(stage.peer, StreamPeer)
    stage.peer.replace(client)


def be_a_file(stage: GovernedStage) -> None:
    """A SocketFile is laid over the object, and let go of."""
    in_the_loop(lambda: aio.SocketFile(stage.subject._awaited).close())


@pytest.mark.parametrize("role", CLASSES)
def test_the_awaited_sockets_conform(role: str) -> None:
    """Every cell of the role is reached by its shortest sequence, random walks go as the table says, and nothing differs."""
    target = Target("lifecycle.aio", (lambda: GovernedAdapter(CLASSES, name="lifecycle.aio"),))
    report = conform(target, [ROLES[role]], depth=1, walks=40)
    (result,) = report.roles
    assert len(result.reached) == len(result.offered) > 0.9 * len(result.cells), "hardly anything was run"
    assert report.passes, "\n".join(map(str, [*report.unexplained, *report.missing.get(role, [])]))
