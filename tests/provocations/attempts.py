"""What all provocations share: the world, sizes, and a call that must fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from states import World

TICK = 0.01  # seconds of time-out, where the time-out has to pass
TOO_LONG = bytes(65508)  # for a datagram over IPv4
NO_OPTION = 9999
MESSAGE = b"message"

Provocation = Callable[[World], None]


def fails(kind: type[BaseException], call: Callable[..., Any], *arguments: Any) -> None:
    """The call must raise just this kind of error."""
    try:
        call(*arguments)
    except kind:
        return
    raise AssertionError(f"{call.__name__}{arguments} did not raise {kind.__name__}")
