"""What a test asserts of a call that must not succeed: which error it gives, and that it changed nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lifecycle import IllegalCall
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket
from lifecycle.system.handles import socket_of


def kernel_addresses(target: OsSocket) -> tuple[object, object]:
    """The local and the peer's address of the socket as the system itself tells them; None where it tells none."""
    if target.fileno() < 0:
        return None, None
    view = socket_of(target.fileno())  # a second look: os.dup() is for files on Windows
    try:
        found: list[object] = []
        for ask in (view.getsockname, view.getpeername):
            try:
                found.append(ask())
            except OSError:
                found.append(None)
    finally:
        view.detach()
    return found[0], found[1]


@contextmanager
def unchanged(*targets: OsSocket) -> Iterator[None]:
    """The block leaves each object's state and descriptor, and the kernel's addresses of it, as they were."""
    before = [(target.state, target.fileno(), kernel_addresses(target)) for target in targets]
    yield
    assert [(target.state, target.fileno(), kernel_addresses(target)) for target in targets] == before


@contextmanager
def refused(target: OsSocket, call: str, winsock: str | None = None) -> Iterator[None]:
    """The block's call is refused for its order; winsock: what the error says that Winsock would have answered."""
    state = target.state
    with unchanged(target), pytest.raises(IllegalCall) as refusal:
        yield
    error = refusal.value
    assert (error.role, error.state, error.call) == (target.role.name, state, call)
    assert error.legal == target.legal
    assert call not in error.legal
    assert error.reason
    if winsock is not None:
        assert error.platform_errors["winsock"] == winsock


@contextmanager
def fails(target: OsSocket, *numbers: int) -> Iterator[None]:
    """The block's call was legal, and fails with one of those error numbers; the state is what it was."""
    with unchanged(target), pytest.raises(OSError) as failure:  # noqa: PT011 - the number is compared below
        yield
    assert failure.value.errno in numbers


@contextmanager
def bad_input(target: OsSocket, *kinds: type[Exception]) -> Iterator[None]:
    """The block's arguments are refused with one of those errors, ValueError or TypeError, and nothing changes."""
    with unchanged(target), pytest.raises(kinds or (ValueError, TypeError)) as failure:
        yield
    assert isinstance(failure.value, (ValueError, TypeError))
    assert not isinstance(failure.value, OSError)
