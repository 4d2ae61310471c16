"""What real systems would have answered to a call that a role forbids: the roles' names set beside the matrices' names.

matrix_names.csv says what the two matrices call each kind of socket, state and call; nothing where a matrix does not have it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lifecycle.roles import words
from lifecycle.system.matrices import linux, rows_of, winsock


@dataclass(frozen=True, slots=True)
class Named:
    """What the two matrices call one thing; None where a matrix does not have it."""

    linux: str | None
    winsock: str | None


def _names(what: str) -> Iterator[tuple[str, str, Named]]:
    """(role, name, what the matrices call it) of the entries of this kind in matrix_names.csv."""
    for row in rows_of("matrix_names"):
        if row["what"] == what:
            yield row["role"], row["name"], Named(row["linux"] or None, row["winsock"] or None)


KINDS: Mapping[str, Named] = {role: named for role, _, named in _names("kind")}
"""role -> what the matrices call its kind of socket"""

STATES: Mapping[str, Mapping[str, Named]] = {
    role: {state: named for of_role, state, named in _names("state") if of_role == role} for role in KINDS
}
"""role -> state -> what the matrices call that state"""

CALLS: Mapping[str, Named] = {call: named for _, call, named in _names("call")}
"""call -> what the matrices call it; a call that no system has (create, attach ...) is not there"""

COLLECTED = {("peer_closed_eof_read", words.CONNECT.name): "EISCONN"}
"""Linux cells of a connection whose connect() has reported its result.

The matrix made its connections without waiting, and the connect() that it measured there collected the first one's result,
which is "ok" and no second connection. For the same reason `connected` is looked up as "accepted".
"""


def platform_answers(
    role: str, state: str, call: str, *, systems: tuple[str, ...] | None = None, family: str = "inet"
) -> dict[str, str]:
    """System -> "ok", "blocks" or the error's name, for the systems whose answer is known.

    family: that of the socket on Linux, "inet", "inet6" or "unix".
    systems: "winsock" and "linux" by default where this is Linux; elsewhere Winsock alone, since a system's answer is
    measured, never guessed.
    """
    if systems is None:
        systems = ("winsock", "linux") if sys.platform == "linux" else ("winsock",)
    known_state = STATES.get(role, {}).get(state)
    known_call = CALLS.get(call)
    if known_state is None or known_call is None:
        return {}
    kind = KINDS[role]
    cells = {
        "winsock": winsock().get((str(kind.winsock), str(known_state.winsock), str(known_call.winsock))),
        "linux": linux().get((family, str(kind.linux), str(known_state.linux), str(known_call.linux))),
    }
    found = {system: cell.answer for system in systems if (cell := cells[system]) is not None}
    if "linux" in found and kind.linux == "stream":
        found["linux"] = COLLECTED.get((str(known_state.linux), str(known_call.linux)), found["linux"])
    return found
