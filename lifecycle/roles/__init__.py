"""The rules, and only the rules: a role reads like a manual, from top to bottom."""

from importlib import import_module
from typing import TYPE_CHECKING

from lifecycle.engine import Role
from lifecycle.roles.datagram import DATAGRAM
from lifecycle.roles.server import SERVER
from lifecycle.roles.stream import ACCEPTED, CLIENT

if TYPE_CHECKING:
    from lifecycle.roles.archive import ARCHIVE
    from lifecycle.roles.socket_file import SOCKET_FILE

    ROLES: dict[str, Role]
    """Every role of the package by name, in reading order"""

__all__ = ["ACCEPTED", "ARCHIVE", "CLIENT", "DATAGRAM", "ROLES", "SERVER", "SOCKET_FILE"]


def __getattr__(name: str) -> object:
    """Make the roles of files and archives when they are first used: a program that only has sockets does without them."""
    value: object
    match name:
        case "ROLES":
            found = (SERVER, CLIENT, ACCEPTED, DATAGRAM, __getattr__("SOCKET_FILE"), __getattr__("ARCHIVE"))
            value = {role.name: role for role in found if isinstance(role, Role)}
        case "ARCHIVE" | "SOCKET_FILE":
            value = getattr(import_module(f"lifecycle.roles.{name.lower()}"), name)
        case _:
            raise AttributeError(f"module 'lifecycle.roles' has no attribute {name!r}")
    return globals().setdefault(name, value)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
