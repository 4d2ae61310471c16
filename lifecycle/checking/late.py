"""Watches modules that the program may load later, beginning with the first socket made after that."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Watcher(NamedTuple):
    """The functions that begin and end watching a module, and report the findings that only the end of a check shows."""

    begin: Callable[[], None]
    end: Callable[[], None]
    judge: Callable[[], None]


missing: dict[str, Watcher] = {}
"""the modules that are not loaded yet"""

loaded = 0
"""the number of loaded modules at the last look"""

_watched: dict[str, Watcher] = {}


def begin(watchers: Mapping[str, Watcher]) -> None:
    """Watch the loaded modules, and wait for the others. watchers: by the names of modules."""
    global loaded
    missing.update(watchers)
    loaded = 0
    look()


def look() -> None:
    """Begin to watch the modules that were loaded since."""
    global loaded
    if loaded == len(sys.modules):
        return
    loaded = len(sys.modules)
    for name in [name for name in missing if name in sys.modules]:
        if _is_being_loaded(name):  # ssl imports socket, by which a check may begin
            loaded = 0
        else:
            _watched[name] = missing.pop(name)
            _watched[name].begin()


def _is_being_loaded(name: str) -> bool:
    return getattr(getattr(sys.modules[name], "__spec__", None), "_initializing", False)


def judge() -> None:
    """Report the findings that only the end of a check shows."""
    for watcher in tuple(_watched.values()):
        watcher.judge()


def end() -> None:
    """Stop watching."""
    missing.clear()
    while _watched:
        _watched.popitem()[1].end()
