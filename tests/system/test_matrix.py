"""The measured matrices and the answers looked up in them."""

from __future__ import annotations

import sys

import pytest
from states import SOCKET_ROLES

from lifecycle.system.matrices import Mark, documented, linux, mfc, notifications, winsock
from lifecycle.system.platform_answers import CALLS, KINDS, MFC_CALLS, STATES, SYSTEMS, platform_answers, platform_cells

BOTH = ("winsock", "linux")


def test_matrices_are_whole() -> None:
    """All measured cells are there: 4,250 of Linux, 583 of Winsock, each with an answer and its source."""
    assert len(linux()) == 4250
    assert len(winsock()) == 583
    assert all(cell.answer and cell.source for matrix in (linux(), winsock()) for cell in matrix.values())


def test_answers_are_ok_blocks_or_an_error() -> None:
    """Every answer is "ok", "blocks" or the name of an error."""
    answers = {cell.answer for matrix in (linux(), winsock()) for cell in matrix.values()}
    assert all(answer in ("ok", "blocks") or answer.startswith(("E", "WSA")) for answer in answers - {"n/a"})


def test_documented_windows_comes_before_wine() -> None:
    """Where Windows is documented to answer otherwise than the measured implementation, Windows is reported."""
    assert winsock()["tcp", "reset", "recv"].answer == "WSAECONNRESET"
    assert "Wine" not in winsock()["tcp", "reset", "recv"].source
    assert winsock()["tcp", "created", "listen"].answer == "WSAEINVAL"


@pytest.mark.parametrize("name", SOCKET_ROLES)
def test_states_and_calls_of_roles_are_in_the_matrices(name: str) -> None:
    """Each state of a role has its names in the matrices, and each name that is given is really there."""
    assert set(STATES[name]) >= {state.name for state in SOCKET_ROLES[name].states}
    kind = KINDS[name]
    for state in STATES[name].values():
        for call in CALLS.values():
            if state.linux and call.linux:
                assert ("inet", kind.linux, state.linux, call.linux) in linux()
            if state.winsock and call.winsock:
                assert (kind.winsock, state.winsock, call.winsock) in winsock()


@pytest.mark.parametrize(
    ("role", "state", "call", "answers"),
    [
        ("server", "bound", "accept", {"winsock": "WSAEINVAL", "linux": "EINVAL"}),
        ("server", "open", "listen", {"winsock": "WSAEINVAL", "linux": "ok"}),
        ("client", "connected", "connect", {"winsock": "WSAEISCONN", "linux": "EISCONN"}),
        ("client", "peer_closed", "connect", {"winsock": "WSAEISCONN", "linux": "EISCONN"}),
        ("client", "receive_shut", "receive", {"winsock": "WSAESHUTDOWN", "linux": "ok"}),
        ("datagram", "open", "receive_from", {"winsock": "WSAEINVAL", "linux": "blocks"}),
        ("client", "closed", "send", {"winsock": "WSAENOTSOCK", "linux": "EBADF"}),
        ("client", "ended", "send", {}),
        ("client", "connected", "create", {}),
        ("turnstile", "locked", "push", {}),
    ],
)
def test_answers(role: str, state: str, call: str, answers: dict[str, str]) -> None:
    """The answers are those of the matrices; a cell that nobody measured has none."""
    assert platform_answers(role, state, call, systems=BOTH) == answers


def test_only_this_systems_answers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Winsock's answer is reported everywhere, this system's where it was measured or is documented; nothing is guessed."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert platform_answers("server", "bound", "accept") == {"winsock": "WSAEINVAL", "macos": "EINVAL"}
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert platform_answers("client", "listening", "connect") == {}
    assert platform_answers("server", "listening", "bind") == {"winsock": "WSAEINVAL", "freebsd": "EINVAL"}
    monkeypatch.setattr(sys, "platform", "sunos5")
    assert platform_answers("server", "bound", "accept") == {"winsock": "WSAEINVAL"}
    monkeypatch.setattr(sys, "platform", "linux")
    assert platform_answers("server", "bound", "accept") == {"winsock": "WSAEINVAL", "linux": "EINVAL"}


def test_every_platform_cell_has_a_mark_and_what_is_known_has_its_source() -> None:
    """Each cell of each socket role is measured, documented or unknown on each platform."""
    marks = set()
    for role in SOCKET_ROLES.values():
        for state in role.states:
            for call in role.calls:
                cells = platform_cells(role.name, state.name, call.name)
                assert tuple(cells) == SYSTEMS
                for system, cell in cells.items():
                    marks.add((system, cell.mark))
                    assert (cell.mark is Mark.UNKNOWN) == (not cell.answer) == (not cell.source)
    assert {system for system, mark in marks if mark is Mark.MEASURED} == {"winsock", "linux", "mfc"}
    assert {system for system, mark in marks if mark is Mark.DOCUMENTED} == {"winsock", "macos", "freebsd"}


def test_the_matrix_of_mfc_is_whole_and_says_what_leaks() -> None:
    """1,057 cells; a release build answers TRUE to create() on an object that has a handle, and leaks it."""
    assert len(mfc()) == 1057
    assert set(MFC_CALLS.values()) <= {call for _, _, call in mfc()}
    cell = platform_cells("server", "listening", "create")["mfc"]
    assert (cell.answer, cell.mark) == ("TRUE", Mark.MEASURED)
    assert "leaks" in cell.note
    assert platform_cells("client", "empty", "send")["mfc"].answer == "WSAENOTSOCK"
    assert platform_cells("datagram", "bound", "receive")["mfc"].answer == "blocks"
    assert platform_cells("client", "connecting", "connect")["mfc"].answer == "WSAEALREADY"
    assert platform_cells("datagram", "send_shut", "send")["mfc"].answer == "WSAESHUTDOWN"


def test_the_notifications_of_mfc_are_as_documented() -> None:
    """CAsyncSocket: OnAccept for each client that waits, OnClose when the peer has closed; what CSocket lacks is OnConnect."""
    assert notifications()["CAsyncSocket", "peer closed", "receive"] == "X1"
    assert not any("C1" in text for (kind, _, _), text in notifications().items() if kind == "CSocket")


def test_documented_cells_are_in_the_words_of_the_matrix_of_linux() -> None:
    """Each cell of macOS and FreeBSD says by which page, and names a state and a call that were measured on Linux."""
    for (system, kind, state, call), cell in documented().items():
        assert ("inet", kind, state, call) in linux()
        assert cell.source.startswith(("POSIX ", {"macos": "macOS ", "freebsd": "FreeBSD "}[system]))
