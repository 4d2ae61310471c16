"""The rules, and only the rules: a role reads like a manual, from top to bottom."""

from lifecycle.engine import Role
from lifecycle.roles.archive import ARCHIVE
from lifecycle.roles.datagram import DATAGRAM
from lifecycle.roles.server import SERVER
from lifecycle.roles.socket_file import SOCKET_FILE
from lifecycle.roles.stream import ACCEPTED, CLIENT

ROLES: dict[str, Role] = {role.name: role for role in (SERVER, CLIENT, ACCEPTED, DATAGRAM, SOCKET_FILE, ARCHIVE)}
"""Every role of the package by name, in reading order."""

__all__ = ["ACCEPTED", "ARCHIVE", "CLIENT", "DATAGRAM", "ROLES", "SERVER", "SOCKET_FILE"]
