"""Which expressions make an object that the checker follows, and in which state: data, one line each."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lifecycle.checking.observed import DATAGRAM, OTHER, STREAM
from lifecycle.checking.source.points import Machine, Points
from lifecycle.engine import Role
from lifecycle.roles import ROLES
from lifecycle.roles.facts import Link
from lifecycle.roles.python.asyncio_streams import WRITER
from lifecycle.roles.python.datagram import PYTHON_DATAGRAM
from lifecycle.roles.python.other import PYTHON_SOCKET
from lifecycle.roles.python.stream import CONNECTED, PYTHON_STREAM
from lifecycle.roles.words import ATTACH

STREAM_SOCKET = Machine(PYTHON_STREAM, STREAM)
DATAGRAM_SOCKET = Machine(PYTHON_DATAGRAM, DATAGRAM)
ANY_SOCKET = Machine(
    PYTHON_SOCKET, OTHER
)  # of an unknown kind or in an unknown state: the only certainty is that close() ends it
STREAM_WRITER = Machine(WRITER)

KINDS: Mapping[str, Machine] = {"": STREAM_SOCKET, "SOCK_STREAM": STREAM_SOCKET, "SOCK_DGRAM": DATAGRAM_SOCKET}
INTERNET = ("AF_INET", "AF_INET6")
LOCAL = "AF_UNIX"


@dataclass(frozen=True, slots=True)
class Made:
    """The object that an expression makes.

    points: its possible states; None if they are not known. place: its index in the tuple that is returned, -1 for the whole
    value. pair: the tuple has two of them. is_internet: rules of Winsock apply.
    """

    points: Points | None
    place: int = -1
    pair: bool = False
    is_internet: bool = True


UNKNOWN_SOCKET = Made(ANY_SOCKET.initial(), is_internet=False)


def _linked(machine: Machine, link: Link) -> Points:
    return machine.at(next(state.name for state in machine.role.states if state.facts.link is link))


def _socket(call: ast.Call, dotted: Callable[[ast.expr], str | None]) -> Made:
    """socket.socket(...): the kind by its arguments; a socket of any kind if they are unknown, or name a descriptor."""
    words = {each.arg: each.value for each in call.keywords}
    if None in words or any(isinstance(each, ast.Starred) for each in call.args) or "fileno" in words or len(call.args) > 3:
        return UNKNOWN_SOCKET
    family, kind = (_word(call, words, dotted, place, name) for place, name in ((0, "family"), (1, "type")))
    protocol = _word(call, words, dotted, 2, "proto")
    if family not in (*INTERNET, LOCAL, "") or protocol not in ("", "0", "IPPROTO_TCP", "IPPROTO_UDP"):
        return UNKNOWN_SOCKET
    is_internet = family != LOCAL
    if kind is None:
        return Made(STREAM_SOCKET.initial() | DATAGRAM_SOCKET.initial(), is_internet=is_internet)
    machine = KINDS.get(kind)
    return UNKNOWN_SOCKET if machine is None else Made(machine.initial(), is_internet=is_internet)


def _word(
    call: ast.Call, words: Mapping[str | None, ast.expr], dotted: Callable[[ast.expr], str | None], place: int, name: str
) -> str | None:
    """The last word of a constant of `socket` that is given at `place` or as `name`; "" where neither is; None if unknown."""
    given = call.args[place] if len(call.args) > place else words.get(name)
    if given is None:
        return ""
    if isinstance(given, ast.Constant):
        return str(given.value)
    text = dotted(given)
    return None if text is None or not text.startswith("socket.") else text.rpartition(".")[2]


def _archive(call: ast.Call, dotted: Callable[[ast.expr], str | None]) -> Made | None:
    """Archive(file, mode): it begins attached, where attach() leads by that mode."""
    machine = Machine(ROLES["archive"])
    modes = machine.role.table[machine.role.initial][ATTACH.name]
    given = call.args[1] if len(call.args) > 1 else None
    if not isinstance(given, ast.Constant):
        return Made(None)
    state = modes.get(str(given.value))
    return Made(None) if state is None else Made(machine.at(state))


Constructor = Callable[[ast.Call, Callable[[ast.expr], str | None]], Made | None]


def _always(made: Made) -> Constructor:
    return lambda _call, _dotted: made


def of_role(role: Role) -> Constructor:
    """The maker of objects of a role of your own, which begin in the role's initial state."""
    return _always(Made(Machine(role).initial()))


def _own(name: str) -> Made:
    return Made(Machine(ROLES[name]).initial())


CONNECTED_SOCKET = STREAM_SOCKET.at(CONNECTED.name)

CONSTRUCTORS: Mapping[str, Constructor] = {
    "socket.socket": _socket,
    "socket.create_connection": _always(Made(CONNECTED_SOCKET)),
    "socket.create_server": _always(Made(_linked(STREAM_SOCKET, Link.LISTENING))),
    "socket.socketpair": _always(Made(CONNECTED_SOCKET, pair=True, is_internet=False)),
    "socket.fromfd": _always(UNKNOWN_SOCKET),
    "asyncio.open_connection": _always(Made(STREAM_WRITER.initial(), place=1)),
    "asyncio.open_unix_connection": _always(Made(STREAM_WRITER.initial(), place=1)),
    **{
        f"{module}.{role.title()}": _always(_own(role))
        for module in ("lifecycle", "lifecycle.aio")
        for role in ("server", "client", "accepted", "datagram")
    },
    "lifecycle.SocketFile": _always(_own("socket_file")),
    "lifecycle.Archive": _archive,
    "lifecycle.archive.Archive": _archive,
}
"""dotted name -> the object that a call of it makes"""

TYPES: Mapping[str, Machine] = {
    "socket.socket": STREAM_SOCKET,
    "asyncio.StreamWriter": STREAM_WRITER,
    **{f"lifecycle.{role.title()}": Machine(ROLES[role]) for role in ("server", "client", "accepted", "datagram")},
}
"""an annotation -> the machine of the object, in a state that is not known"""

ACCEPTING: Mapping[str, Made] = {
    PYTHON_STREAM.name: Made(CONNECTED_SOCKET, place=0),
    PYTHON_SOCKET.name: Made(ANY_SOCKET.initial(), place=0, is_internet=False),
    ROLES["server"].name: Made(_linked(Machine(ROLES["accepted"]), Link.YES)),
}
"""role -> the object that its accept() returns"""
