"""Measures the whole matrix of this machine: every call in every state, one fresh socket per cell."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lifecycle.conformance.measuring.calls import CALLS, NOT_MEASURED, answer
from lifecycle.conformance.measuring.rig import Rig, folder_for_paths
from lifecycle.conformance.measuring.states import states_of
from lifecycle.system.matrices import CellKey

FAMILIES: Mapping[str, int] = {
    name: int(getattr(socket, constant))
    for name, constant in (("inet", "AF_INET"), ("inet6", "AF_INET6"), ("unix", "AF_UNIX"))
    if hasattr(socket, constant)
}

KINDS: Mapping[str, int] = {
    name: int(getattr(socket, constant))
    for name, constant in (("stream", "SOCK_STREAM"), ("seqpacket", "SOCK_SEQPACKET"), ("dgram", "SOCK_DGRAM"))
    if hasattr(socket, constant)
}

PAIRS = tuple((family, kind) for kind in KINDS for family in FAMILIES if kind != "seqpacket" or family == "unix")
"""(family, kind) that this system can be expected to have"""

Measured = Mapping[CellKey, str]
"""(family, kind, state, call) -> the answer"""


def measure(
    pairs: tuple[tuple[str, str], ...] = PAIRS,
    *,
    calls: tuple[str, ...] = tuple(CALLS),
    collects: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Measured:
    """The answers of this machine's system; pairs that it does not have are left out.

    collects: whether connections are measured whose connect() has told its result; those of the shipped tables have not.
    progress: told (how many cells are done, of how many).
    """
    found: dict[CellKey, str] = {}
    present = [(family, kind) for family, kind in pairs if _has(FAMILIES[family], KINDS[kind])]
    total = sum(len(states_of(KINDS[kind])) * len(calls) for _, kind in present)
    with folder_for_paths() as folder:
        for family, kind in present:
            rig = Rig(FAMILIES[family], KINDS[kind], Path(folder), collects=collects)
            try:
                for state, call, result in _cells(rig, calls):
                    found[family, kind, state, call] = result
                    if len(found) % 64 == 0:
                        progress(len(found), total)
            finally:
                rig.close_all()
    progress(total, total)
    return found


def _cells(rig: Rig, calls: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    for state, arrange in states_of(rig.kind).items():
        for call in calls:
            try:
                sock = arrange(rig)
            except OSError:  # this family has no such state
                yield state, call, NOT_MEASURED
            else:
                yield state, call, answer(call, rig, sock)
            rig.close()


def _has(family: int, kind: int) -> bool:
    try:
        with socket.socket(family, kind) as sock:
            if family == socket.AF_INET6:
                sock.bind(("::1", 0))
    except OSError as error:
        return error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT)
    return True
