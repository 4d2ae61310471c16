"""Sizes, order, addresses, options, time: each seeded fault is found by a data cell, and sound sockets have none."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from typing import Any

import pytest
from conformance.seeded_faults import FAULTS, CloseKeepsDescriptor, PeekTakes, Sound

from lifecycle import CLIENT, ROLES, Role
from lifecycle.conformance import Mismatch, SocketAdapter, conform, replay, target_of
from lifecycle.conformance.adapters.loopback import PATIENCE
from lifecycle.conformance.adapters.session import TIMEOUTS
from lifecycle.conformance.data_cells.cell import must_be
from lifecycle.conformance.driving.data import run_data_cells
from lifecycle.conformance.driving.results import RoleResult
from lifecycle.conformance.driving.run import HANGS, Divergence
from lifecycle.conformance.driving.sequences import model_for
from lifecycle.conformance.targets import PLATFORM


def found_in(kind: type[Any], role: Role) -> RoleResult:
    """What the data cells of one role find."""
    with closing(SocketAdapter(kind, name=kind.__name__, platform=PLATFORM, patience=0.1)) as adapter:
        model = model_for(adapter, role)
        result = RoleResult(role.name, model.cells, frozenset(model.first_edges))
        run_data_cells(adapter, model, result)
    return result


@pytest.fixture
def kept_descriptors() -> Any:
    """Closes what a fault keeps open."""
    yield
    while CloseKeepsDescriptor.kept:
        os.close(CloseKeepsDescriptor.kept.pop())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls wait a quarter of the usual time for what a fault keeps from them."""
    for under in (under for under, seconds in TIMEOUTS.items() if seconds == PATIENCE):
        monkeypatch.setitem(TIMEOUTS, under, PATIENCE / 4)


@pytest.mark.usefixtures("kept_descriptors", "impatient")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_seeded_fault_is_found(fault: type[Sound]) -> None:
    """Each differs in a cell that says which values differ."""
    result = found_in(fault, ROLES[FAULTS[fault]])
    assert result.unexplained
    assert all(each.expected and each.got for each in result.unexplained)


@pytest.mark.parametrize("role", ["server", "client", "accepted", "datagram"])
def test_sound_sockets_have_no_fault(role: str) -> None:
    """Sockets without a fault pass every cell, and none is left out."""
    result = found_in(Sound, ROLES[role])
    assert result.unexplained == []
    assert result.left_out == []
    assert all(result.data.values())


def test_a_data_cell_is_replayed_by_its_label(capsys: pytest.CaptureFixture[str]) -> None:
    """The program of a report makes the cell again."""
    found = replay(target_of("peek takes", PeekTakes), "accepted", "data: receive: MSG_PEEK")
    assert found is not None
    assert (found.expected, found.got) == ("b'message'", "b'sage'")
    assert "data: receive: MSG_PEEK" in capsys.readouterr().out


class LosesLate(socket.socket):
    """Loses the last byte of what it receives."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(size, flags)[:-1]


def test_a_wrong_value_is_not_explained_by_a_platform() -> None:
    """A table of a platform has outcomes: it explains no data that is lost."""
    found = replay(target_of("loses", LosesLate), CLIENT, "create", "connect (waiting)", "peer_sends", "receive")
    assert found is not None
    assert (found.expected, found.got, found.explanation) == ("ok giving b'message'", "ok giving b'messag'", "")


def test_measured_seconds_and_ports_do_not_make_a_cause_of_their_own() -> None:
    """A time-out that is early by another time, and a wrong port, are the same cause in the next run."""
    first, again = (
        Divergence("", "client", "connected", "receive", "a time-out after 0.1 s", f"early, after {seconds} s", ("data: x",))
        for seconds in ("0.052", "0.057")
    )
    assert first.line == again.line
    here, there = (
        Divergence("", "client", "connected", "get_peer_name", "('127.0.0.1', 43647)", f"('127.0.0.1', {port})", ("data: y",))
        for port in (47, 186)
    )
    assert here.line == there.line


def test_data_that_differs_late_shows_where() -> None:
    """Long data is shown from the first byte that differs."""
    with pytest.raises(Mismatch) as found:
        must_be(bytes(1000), bytes(900) + b"x" + bytes(99))
    assert str(found.value.expected) == f"1000 bytes, with {bytes(20)!r} at 900"
    assert str(found.value.got) == f"1000 bytes, with {b'x' + bytes(19)!r} at 900"


class CannotBeTold(Sound):
    """Has neither time-outs nor a call to be told not to wait."""

    settimeout = setblocking = property()  # type: ignore[assignment]


def test_no_cell_waits_for_ever_where_calls_cannot_be_told_not_to() -> None:
    """Cells about calls that are not to wait are left out, with the reason."""
    result = found_in(CannotBeTold, ROLES["server"])
    assert [each for each in result.unexplained if each.got == HANGS] == []
    assert "there are no calls without waiting" in {each.why for each in result.left_out}


class OnlyWaits(socket.socket):
    """The system's sockets, without time-outs."""

    settimeout = setblocking = property()  # type: ignore[assignment]


@pytest.mark.skipif(PLATFORM != "linux", reason="the table of Linux says which illegal calls wait")
def test_illegal_calls_that_would_wait_are_left_out_where_none_can_be_told_not_to() -> None:
    """Linux connects a server's socket, and lets a datagram socket wait for messages: these are no findings, but named."""
    report = conform(target_of("waits", OnlyWaits), [ROLES["server"], ROLES["client"], ROLES["datagram"]], walks=20)
    assert [str(each) for each in report.unexplained] == []
    assert report.passes
    found = {(each.role, each.what) for role in report.roles for each in role.left_out}
    assert {("server", "connect in 'open'"), ("server", "connect in 'bound'"), ("datagram", "receive in 'open'")} <= found
