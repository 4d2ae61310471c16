"""Checking programs that already exist: `lifecycle run`, the pytest plugin, `checked_sockets()`.

A public name loads its module when it is first used, since pytest imports this package at every start, for its plugin.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.checking.checkers import LifecycleWarning as LifecycleWarning
    from lifecycle.checking.findings import Finding as Finding
    from lifecycle.checking.kinds import FindingKind as FindingKind
    from lifecycle.checking.session import checked_sockets as checked_sockets
    from lifecycle.checking.settings import Mode as Mode

_MODULES = {
    "Finding": "findings",
    "FindingKind": "kinds",
    "LifecycleWarning": "checkers",
    "Mode": "settings",
    "checked_sockets": "session",
}

__all__ = ["Finding", "FindingKind", "LifecycleWarning", "Mode", "checked_sockets"]


def __getattr__(name: str) -> object:
    """Load a public name's module when the name is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
