"""What is watched in modules that the program may load later, from the first socket on that is made when they are there."""

from __future__ import annotations

import sys
from collections.abc import Callable

from lifecycle.checking import loops, waiting


def _watch_tls() -> None:
    from lifecycle.checking import secured_memory, tls  # which import ssl

    tls.install()
    secured_memory.install()
    waiting.begin_with_tls(tls)


def _leave_tls() -> None:
    from lifecycle.checking import secured_memory, tls

    waiting.begin_with_tls(None)
    secured_memory.uninstall()
    tls.uninstall()


_WATCHERS: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
    "asyncio.selector_events": (loops.install, loops.uninstall),
    "ssl": (_watch_tls, _leave_tls),
}
"""module -> what begins to watch it, and what ends that"""

_is_running = False
missing: set[str] = set()
"""the modules among them that are not loaded yet"""


def begin() -> None:
    """Watch the modules that are there, and wait for the others."""
    global _is_running
    _is_running = True
    missing.update(_WATCHERS)
    look()


def look() -> None:
    """Begin to watch the modules that were loaded since."""
    for name in [name for name in missing if name in sys.modules]:
        missing.discard(name)
        _WATCHERS[name][0]()


def judge() -> None:
    """Report what only the end of a check shows."""
    if _is_running and "ssl" not in missing:
        from lifecycle.checking import secured_memory, tls

        tls.judge_waits()
        secured_memory.judge()


def end() -> None:
    """Watch no more."""
    global _is_running
    _is_running = False
    for name in _WATCHERS.keys() - missing:
        _WATCHERS[name][1]()
    missing.clear()
