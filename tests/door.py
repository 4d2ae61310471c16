"""A role of a door, for tests that make classes of it."""

from __future__ import annotations

from typing import Any

from lifecycle import Lifecycle, Role
from lifecycle.engine import Call, State

DOOR = Role(
    name="door",
    doc="Is pushed and pulled until it is removed.",
    states=(State("open", "It is open."), State("ajar", "Nearly closed."), State("gone", "It was removed.")),
    calls=(Call("push", "Push it."), Call("pull", "Pull it."), Call("remove", "Remove it.", settles="before")),
    rows=(
        ("open", "push", {"ok": "open", "failed": "open"}),
        ("open", "pull", {"ok": "ajar"}),
        ("ajar", "push", {"ok": "ajar", "failed": "ajar"}),
        ("open", "remove", {"ok": "gone"}),
        ("ajar", "remove", {"ok": "gone"}),
        ("gone", "remove", {"ok": "gone"}),
    ),
    initial="open",
    final=frozenset({"gone"}),
    closes="remove",
)


def door_class(push: Any, *bases: type) -> type[Any]:
    """A class under DOOR with this handler of push()."""
    namespace = {"push": push, "pull": lambda self: None, "remove": lambda self: None}
    return type("Door", (*bases, Lifecycle), namespace, role=DOOR)  # type: ignore[call-overload, no-any-return]
