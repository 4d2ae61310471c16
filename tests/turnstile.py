"""A role without sockets, and a class of it, for the engine's tests."""

from __future__ import annotations

from lifecycle.engine import STANDARD_OUTCOMES, Call, Lifecycle, Outcome, Role, State, settled

TURNSTILE = Role(
    name="turnstile",
    doc="Lets one person through for a coin.",
    states=(
        State("locked", "Nobody gets through."),
        State("unlocked", "One person gets through."),
        State("jammed", "A coin is stuck."),
        State("removed", "It is gone.", reason="It is gone"),
    ),
    calls=(
        Call("coin", "Pay.", reason="It was paid already"),
        Call("push", "Go through.", reason="A push needs a coin first"),
        Call("look", "See whether it is free."),
        Call("repair", "Free a stuck coin.", exclusive=True),
        Call("kick", "Break it.", reason="It is never right to kick it"),
        Call("remove", "Take it away.", settles="before"),
    ),
    outcomes=(*STANDARD_OUTCOMES, Outcome("sticks", "The coin is stuck.")),
    rows=(
        ("locked", "coin", {"ok": "unlocked", "sticks": "jammed", "failed": "locked"}),
        ("locked", "look", {"ok": "locked"}),
        ("unlocked", "push", {"ok": "locked"}),
        ("unlocked", "look", {"ok": "unlocked"}),
        ("jammed", "repair", {"ok": "locked", "failed": "jammed"}),
        ("locked", "remove", {"ok": "removed"}),
        ("unlocked", "remove", {"ok": "removed"}),
        ("jammed", "remove", {"ok": "removed"}),
        ("removed", "remove", {"ok": "removed"}),
    ),
    initial="locked",
    final=frozenset({"removed"}),
    closes="remove",
)


class BentCoin(Exception):
    """The coin is not a coin."""


class Turnstile(Lifecycle, role=TURNSTILE):
    """A turnstile that counts."""

    __slots__ = ("removals", "takings")

    def __init__(self, *, engine: str | None = None) -> None:
        super().__init__(engine=engine)
        self.takings = 0
        self.removals = 0

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """A coin that is refused for its value changes nothing."""
        return None if isinstance(error, ValueError) else super().outcome_of(call, error)

    def coin(self, value: int = 1, /, *more: int, currency: str = "EUR", **notes: str) -> int:
        """Pay `value` and more."""
        if value < 0:
            raise ValueError("a coin is worth something")
        if value > 100:
            raise BentCoin
        self.takings += value + sum(more)
        return settled("sticks", self.takings) if currency != "EUR" else self.takings

    def push(self) -> str:
        """Go through."""
        return "through"

    def look(self) -> bool:
        """Whether it is free."""
        return self.state == "unlocked"

    def repair(self, tool: str = "screwdriver") -> None:
        """Free the stuck coin."""
        if tool == "hammer":
            raise BentCoin

    def remove(self) -> None:
        """Take it away."""
        self.removals += 1
