"""A small role that does no I/O: what a change of state itself costs."""

from lifecycle import Lifecycle, Role
from lifecycle.engine import Call, State

TURNSTILE = Role(
    name="turnstile",
    doc="Lets one person through per coin.",
    states=(
        State("locked", "Waits for a coin."),
        State("unlocked", "Lets one person through."),
        State("removed", "It is no more."),
    ),
    calls=(
        Call("coin", "Put in a coin."),
        Call("push", "Go through.", reason="It waits for a coin"),
        Call("remove", "Take it away.", settles="before"),
    ),
    initial="locked",
    final=frozenset({"removed"}),
    rows=(
        ("locked", "coin", {"ok": "unlocked", "failed": "locked"}),
        ("unlocked", "push", {"ok": "locked", "failed": "unlocked"}),
        ("locked", "remove", {"ok": "removed"}),
    ),
)


class Turnstile(Lifecycle, role=TURNSTILE):
    """Does nothing but change its state."""

    __slots__ = ()

    def coin(self) -> None:
        """Put in a coin."""

    def push(self) -> None:
        """Go through."""

    def remove(self) -> None:
        """Take it away."""
