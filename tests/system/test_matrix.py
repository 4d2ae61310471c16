"""The measured matrices and the answers looked up in them."""

from __future__ import annotations

import sys

import pytest
from states import SOCKET_ROLES

from lifecycle.system.matrices import linux, winsock
from lifecycle.system.platform_answers import CALLS, KINDS, STATES, platform_answers

BOTH = ("winsock", "linux")


def test_matrices_are_whole() -> None:
    """All measured cells are there: 4,250 of Linux, 476 of Winsock, each with an answer and its source."""
    assert len(linux()) == 4250
    assert len(winsock()) == 476
    assert all(cell.answer and cell.source for matrix in (linux(), winsock()) for cell in matrix.values())


def test_answers_are_ok_blocks_or_an_error() -> None:
    """Every answer is "ok", "blocks" or the name of an error."""
    answers = {cell.answer for matrix in (linux(), winsock()) for cell in matrix.values()}
    assert all(answer in ("ok", "blocks") or answer.startswith(("E", "WSA")) for answer in answers - {"n/a"})


def test_documented_windows_comes_before_wine() -> None:
    """Where Windows is documented to answer otherwise than the measured implementation, Windows is told."""
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
    """Winsock's answer is told everywhere, Linux's on Linux; another system was not measured, and nothing is guessed."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert platform_answers("server", "bound", "accept") == {"winsock": "WSAEINVAL"}
    monkeypatch.setattr(sys, "platform", "linux")
    assert platform_answers("server", "bound", "accept") == {"winsock": "WSAEINVAL", "linux": "EINVAL"}
