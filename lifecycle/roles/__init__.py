"""The rules, and only the rules: a role reads like a manual, from top to bottom."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.engine import Role
    from lifecycle.roles.accepted import ACCEPTED
    from lifecycle.roles.archive import ARCHIVE
    from lifecycle.roles.client import CLIENT
    from lifecycle.roles.datagram import DATAGRAM
    from lifecycle.roles.server import SERVER
    from lifecycle.roles.socket_file import SOCKET_FILE

    ROLES: dict[str, Role]
    """Every role of the package by name, in reading order"""

__all__ = ["ACCEPTED", "ARCHIVE", "CLIENT", "DATAGRAM", "ROLES", "SERVER", "SOCKET_FILE"]

_NAMES = ("server", "client", "accepted", "datagram", "socket_file", "archive")


def __getattr__(name: str) -> object:
    """Make a role when it is first used: a program that only has clients does without the others."""
    value: object
    if name == "ROLES":
        value = {each: _made(each) for each in _NAMES}
    elif name in __all__:
        value = _made(name.lower())
    else:
        raise AttributeError(f"module 'lifecycle.roles' has no attribute {name!r}")
    return globals().setdefault(name, value)


def _made(name: str) -> object:
    return getattr(import_module(f"lifecycle.roles.{name}"), name.upper())


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
