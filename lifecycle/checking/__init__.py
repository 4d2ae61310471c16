"""Checking programs that already exist: the drop-in socket, `lifecycle run`, the pytest plugin, `checked_sockets()`.

Its parts are loaded when they are first used: pytest imports this package at every start, for the sake of its plugin.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.checking.checker import LifecycleWarning as LifecycleWarning
    from lifecycle.checking.checker import Mode as Mode
    from lifecycle.checking.findings import Finding as Finding
    from lifecycle.checking.findings import FindingKind as FindingKind
    from lifecycle.checking.session import checked_sockets as checked_sockets

_HOMES = {
    "Finding": "findings",
    "FindingKind": "findings",
    "LifecycleWarning": "checker",
    "Mode": "checker",
    "checked_sockets": "session",
}

__all__ = ["Finding", "FindingKind", "LifecycleWarning", "Mode", "checked_sockets"]


def __getattr__(name: str) -> object:
    """Load a public name's module when the name is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
