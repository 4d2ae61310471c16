"""Evidence for the rows of the tables on awaited sockets: the same as for blocking ones, on every event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blocking_face import FACES, awaited_support, portal_in
from event_loops import LOOP_PARAMETERS

from lifecycle import ROLES

CELLS = [
    (role, state, call, outcome)
    for role in (face.role.name for face in FACES.values())
    for state, call, outcome, _ in ROLES[role].cells()
    if outcome != "timed_out"  # time-outs are cancel scopes: the call ends by a cancellation
    and call != "socket_file"  # a SocketFile lies over blocking sockets
]

evidence = awaited_support("evidence").evidence


@pytest.fixture(scope="module", params=LOOP_PARAMETERS, autouse=True)
def in_event_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every call of the module's tests is made in one event loop, of each kind in turn."""
    with portal_in(request.param):
        yield


@pytest.mark.parametrize(("role", "state", "call", "outcome"), [pytest.param(*cell, id=".".join(cell)) for cell in CELLS])
def test_a_row_holds_for_awaited_sockets(role: str, state: str, call: str, outcome: str) -> None:
    """The call can end so in that state, it leads where the table says, and the system's own socket agrees."""
    evidence(ROLES[role], (state, call, outcome))
