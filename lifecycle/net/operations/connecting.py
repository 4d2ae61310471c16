"""Looking names up, and connecting: to one address, to several in turn, or to several at a time as RFC 8305 has it.

The object's own socket makes the attempt to the first address of its family. The attempts beside it get sockets of their own,
with the options and the binding of the object's; the first that is connected becomes the object's, and the others are closed.

POSIX leaves the state of a socket unspecified whose connect has failed: macOS and the BSDs answer EINVAL to the next one. So
the object gets a fresh one, with the same options and at the same local address, unless its socket was attached.
"""

from __future__ import annotations

import errno
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, NamedTuple, Protocol, cast

from lifecycle.net.operations import STILL_WRITABLE, Operation, Resolve, Wait, pausing
from lifecycle.roles.facts import Facts
from lifecycle.system import portable_calls
from lifecycle.system.addresses import Found, checked_peer, numeric_address, numeric_peer
from lifecycle.system.handles import family_of
from lifecycle.system.local_sockets import LOCAL_FAMILY, checked_path, connect_error
from lifecycle.system.outcomes import UNDER_WAY, closed_meanwhile, system_error

ANY_FAMILY = int(socket.AF_UNSPEC)

CONNECTION_ATTEMPT_DELAY = 0.25
"""Seconds after which the next attempt begins beside those that go on (RFC 8305, section 8)."""


def resolving(host: object, port: object, family: int, kind: int) -> Operation[list[Found]]:
    """All addresses of `host` and `port`, in the order in which to try them; never empty.

    host: a numeric IPv4 or IPv6 address, or a name. family: AF_INET or AF_INET6 restricts the addresses, AF_UNSPEC does not.
    Raises TypeError and ValueError if they are not an address, before anything is asked; the resolver's OSError; OSError
    (EAFNOSUPPORT) for a numeric address of the other family.
    """
    numeric = numeric_address(host, port, family)
    if numeric is not None:
        return [numeric]
    found = yield Resolve(cast(str, host), cast(int, port), family, kind)
    return list(dict.fromkeys((entry[0], entry[4]) for entry in found))


def interleaved(candidates: Sequence[Found]) -> list[Found]:
    """The addresses with their families taking turns, each in its own order (RFC 8305, section 4)."""
    first = [found for found in candidates if found[0] == candidates[0][0]]
    others = [found for found in candidates if found[0] != candidates[0][0]]
    return [found for found in chain.from_iterable(zip_longest(first, others)) if found is not None]


class Plan(NamedTuple):
    """The settings that a client keeps for its connect.

    is_free: whether a socket of another family may take the place of its own, of which only options were asked. is_own: whether
    the client has made its socket itself, so that another one with the same options and address is as good. options: those
    that were set, as (level, option, value).
    """

    is_free: bool = False
    is_own: bool = False
    options: tuple[tuple[int, int, int | bytes], ...] = ()


NO_PLAN = Plan()
FREE = Plan(is_free=True, is_own=True)
OWN = Plan(is_own=True)


class Connects(Protocol):
    """The part of a client that connecting uses."""

    _plan: Plan
    _sought: Any

    @property
    def _socket(self) -> socket.socket: ...

    @property
    def _kind(self) -> int: ...

    @property
    def facts(self) -> Facts: ...

    @property
    def is_over(self) -> bool: ...

    def _socket_beside(self, family: int) -> socket.socket: ...

    def _renew_socket(self) -> None: ...

    def _replace_socket(self, sock: socket.socket) -> None: ...


@dataclass(eq=False, slots=True)
class Attempt:
    """One connect that is under way."""

    sock: socket.socket
    name: Any


def set_plan(client: Connects, plan: Plan) -> None:
    """Have the client keep this plan."""
    client._plan = plan


def connecting(client: Connects, address: object, port: object, *, waits: bool) -> Operation[None]:
    """Connect to an address, or to a name; see the module's docstring.

    A client that was given a local address, a port or a family keeps to them, and tries the addresses of its family one after
    the other.
    """
    is_free = client._plan.is_free
    own_family = family_of(client._socket)
    family = ANY_FAMILY if is_free else own_family
    numeric = numeric_address(address, port, family)
    if numeric is not None:
        found: Sequence[Found] = (numeric,)
    else:
        found = yield from resolving(address, port, family, client._kind)
    for _, name in found:
        checked_peer(name)
    if is_free and len(found) > 1:
        yield from _race(client, interleaved(found), own_family, waits=waits)
    else:
        if found[0][0] != own_family:
            client._replace_socket(client._socket_beside(found[0][0]))
        yield from _in_turn(client, found, waits=waits)
    set_plan(client, NO_PLAN)


def attempted(client: Connects, address: object, port: object) -> int | None:
    """The result of a first attempt, at a numeric address of the family of the client's own socket: 0, or an error number.

    It is the usual case of connecting(), without an operation; after another number than 0, going_on() continues. None if it
    is another case, and nothing was begun.
    """
    if address.__class__ is not str or port.__class__ is not int:
        return None
    numeric = numeric_peer(address, port)
    if numeric is None or numeric[0] != family_of(client._socket):
        return None
    return _attempt(client, numeric[1])


def going_on(client: Connects, number: int) -> Operation[None]:
    """Go on with an attempt that gave this number."""
    yield from _in_turn(client, [(family_of(client._socket), client._sought)], waits=True, number=number)
    set_plan(client, NO_PLAN)


def connecting_anywhere(client: Connects, address: object, port: object, path: object, *, waits: bool) -> Operation[None]:
    """Connect to an address and a port, or to a path. waits: whether the call may wait for the result."""
    if path is None:
        return connecting(client, address, port, waits=waits)
    if address is not None or port is not None:
        raise TypeError("connect() takes an address and a port, or a path")
    return connecting_to_path(client, path)


def connecting_to_path(client: Connects, path: object) -> Operation[None]:
    """Connect to a Unix-domain socket; a client that was given nothing of its own gets a socket of that family."""
    name = checked_path(path)
    if client._socket.family != LOCAL_FAMILY:
        if not client._plan.is_free:
            raise OSError(errno.EAFNOSUPPORT, "the socket cannot use a path: it was opened for another family")
        client._replace_socket(client._socket_beside(LOCAL_FAMILY))
    yield from _to_path(client, name)
    set_plan(client, NO_PLAN)


def _to_path(client: Connects, name: bytes) -> Operation[None]:
    """Connect to a path or an abstract name; while the server's queue is full, Linux says so and begins nothing (EAGAIN)."""
    seek(client, name)
    try:
        while (number := client._socket.connect_ex(name)) in UNDER_WAY:
            yield from pausing()
    except BlockingIOError:
        raise system_error(errno.EINPROGRESS) from None
    seek(client, None)
    if number == errno.EBADF:
        raise closed_meanwhile()
    if number:
        raise connect_error(number, name)


def finishing(client: Connects) -> Operation[None]:
    """Wait for the result of a connect that is under way on the client's own socket."""
    sock = client._socket
    if sock.family == LOCAL_FAMILY and client._sought is not None:
        yield from _to_path(client, client._sought)
        return
    number = portable_calls.connect_result(sock, client._sought)
    if number in UNDER_WAY:
        number = yield from _result(client, sock)
    if number:
        raise _failure(client, number)
    seek(client, None)


def seek(client: Connects, name: Any) -> None:
    """Note the address of the connect that is under way over the client's own socket; None: it has its result."""
    client._sought = name


def _in_turn(client: Connects, found: Sequence[Found], *, waits: bool, number: int | None = None) -> Operation[None]:
    """Connect to one address after the other, over the client's own socket, or the one that takes its place.

    number: what the attempt to the first one gave, where it has begun.
    """
    errors: list[OSError] = []
    for _, name in found:
        if number is None:
            number = _attempt(client, name, waits)
        if number in UNDER_WAY:
            number = yield from _result(client, client._socket)
        if not number:
            seek(client, None)
            return
        errors.append(_failure(client, number))
        number = None
    raise _first_error(errors)


def _attempt(client: Connects, name: Any, waits: bool = True) -> int:
    """Begin to connect over the client's own socket: 0, the number of the error, or one of UNDER_WAY."""
    sock = client._socket
    client._sought = name
    number = sock.connect_ex(name)
    if number in UNDER_WAY and waits:
        number = portable_calls.connect_result(sock, name)  # on the same machine it has its result already
    if not number:
        client._sought = None
    return number


def _result(client: Connects, sock: socket.socket) -> Operation[int]:
    """The result of a connect that is under way; BlockingIOError (EINPROGRESS) in a call that must not wait."""
    number = errno.EINPROGRESS
    try:
        while number in UNDER_WAY:
            yield STILL_WRITABLE
            number = portable_calls.connect_result(sock, client._sought)
    except BlockingIOError:
        raise system_error(errno.EINPROGRESS) from None
    return number


def _failure(client: Connects, number: int) -> OSError:
    """The error of an attempt over the client's own socket, which is then replaced by a new socket.

    If that is interrupted, a client that was not bound before is `connecting`, since its socket is bound now: finish_connect()
    makes the attempt again.
    """
    if number == errno.EBADF:
        raise closed_meanwhile()
    if client.facts.address:
        seek(client, None)
    client._renew_socket()
    seek(client, None)
    if client.is_over:  # close() was called in another thread
        client._socket.close()
        raise closed_meanwhile()
    return system_error(number)


def _race(client: Connects, candidates: Sequence[Found], own_family: int, *, waits: bool) -> Operation[None]:
    """Connect to the first address that answers; raises the first error when none does."""
    own = next((found for found in candidates if found[0] == own_family), None)
    waiting = deque(candidates)
    under_way: list[Attempt] = []
    errors: list[OSError] = []
    next_begins = 0.0
    try:
        while True:
            failures = len(errors)
            connected = _collect(client, under_way, errors)
            while connected is None and waiting:
                if under_way and len(errors) == failures and time.monotonic() < next_begins:
                    break  # as soon as an attempt has failed, the next one begins
                next_begins = time.monotonic() + CONNECTION_ATTEMPT_DELAY
                failures = len(errors)
                found = waiting.popleft()
                connected = _begin(client, found, under_way, errors, beside=found is not own, waits=waits)
            if connected is not None:
                seek(client, None)
                _adopt(client, connected, under_way)
                return
            if not under_way:
                raise _first_error(errors)
            yield Wait(True, tuple(each.sock for each in under_way), next_begins if waiting else None)
    except BlockingIOError:
        _leave_under_way(client, under_way)
        raise system_error(errno.EINPROGRESS) from None
    except BaseException:
        _leave_under_way(client, under_way)
        raise
    finally:
        for each in under_way:
            if each.sock is not client._socket:
                each.sock.close()


def _begin(
    client: Connects, found: Found, under_way: list[Attempt], errors: list[OSError], *, beside: bool, waits: bool
) -> Attempt | None:
    """Begin to connect to one address; the attempt, if it has succeeded already."""
    family, name = found
    try:
        sock = client._socket_beside(family) if beside else client._socket
    except OSError as error:
        errors.append(error)
        return None
    attempt = Attempt(sock, name)
    under_way.append(attempt)
    if not beside:
        seek(client, name)
    number = sock.connect_ex(name)
    if number in UNDER_WAY and waits:
        number = portable_calls.connect_result(sock, name)  # on the same machine it has its result already
    return attempt if _has_succeeded(client, attempt, number, under_way, errors) else None


def _collect(client: Connects, under_way: list[Attempt], errors: list[OSError]) -> Attempt | None:
    """Ask for the results of the attempts; the first that has succeeded."""
    for attempt in list(under_way):
        number = portable_calls.connect_result(attempt.sock, attempt.name)
        if _has_succeeded(client, attempt, number, under_way, errors):
            return attempt
    return None


def _has_succeeded(client: Connects, attempt: Attempt, number: int, under_way: list[Attempt], errors: list[OSError]) -> bool:
    """Whether the attempt whose result is `number` is connected; one that has failed is closed, and only its error is kept."""
    if number in UNDER_WAY or not number:
        return not number
    under_way.remove(attempt)
    if attempt.sock is client._socket:
        errors.append(_failure(client, number))
    else:
        attempt.sock.close()
        errors.append(system_error(number))
    return False


def _leave_under_way(client: Connects, under_way: list[Attempt]) -> None:
    """An attempt goes on in the system when the call is interrupted: over the client's own socket from now on."""
    if not under_way or client.is_over:
        return
    kept = next((each for each in under_way if each.sock is client._socket), under_way[0])
    seek(client, kept.name)
    _adopt(client, kept, under_way)


def _adopt(client: Connects, attempt: Attempt, under_way: list[Attempt]) -> None:
    """Make the attempt's socket the client's own."""
    under_way.remove(attempt)
    if attempt.sock is client._socket:
        return
    client._replace_socket(attempt.sock)
    if client.is_over:  # close() was called in another thread
        attempt.sock.close()
        raise closed_meanwhile()


def _first_error(errors: list[OSError]) -> OSError:
    """The error of the first attempt that failed; of several, its cause says that all of them did."""
    first = errors[0]
    if len(errors) > 1:
        first.__cause__ = ExceptionGroup("every address of the name failed", errors)
    errors.clear()  # the frame that raises it must not hold it
    return first
