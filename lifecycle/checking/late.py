"""What is watched in modules that the program may load later, from the first socket on that is made when they are there."""

from __future__ import annotations

import sys
from collections.abc import Callable

from lifecycle.checking import loops

_WATCHERS: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
    "asyncio.selector_events": (loops.install, loops.uninstall),
}
"""module -> what begins to watch it, and what ends that"""

missing: set[str] = set()
"""the modules among them that are not loaded yet"""


def begin() -> None:
    """Watch the modules that are there, and wait for the others."""
    missing.update(_WATCHERS)
    look()


def look() -> None:
    """Begin to watch the modules that were loaded since."""
    for name in [name for name in missing if name in sys.modules]:
        missing.discard(name)
        _WATCHERS[name][0]()


def end() -> None:
    """Watch no more."""
    for name in _WATCHERS.keys() - missing:
        _WATCHERS[name][1]()
    missing.clear()
