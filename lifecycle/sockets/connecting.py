"""The outcome of a connect that raised: one that was interrupted goes on in the system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifecycle.system.handles import facts_of

if TYPE_CHECKING:
    from lifecycle.sockets.os_socket import OsSocket


def connect_outcome(subject: OsSocket, call: str, outcome: str | None) -> str | None:
    """The outcome of a client's call that raised, which classifies to `outcome` otherwise.

    A connect that was interrupted, by whatever, leaves the system connecting.
    """
    if call == "finish_connect" and outcome in ("failed", None):
        return "pending"
    if call == "connect" and outcome in ("failed", None):
        goes_on = [row._state for row in (subject._row._after(call, each) for each in ("pending", "ok")) if row is not None]
        if subject.role.state_of(facts_of(subject._socket)) in goes_on:
            return "pending"
    return outcome
