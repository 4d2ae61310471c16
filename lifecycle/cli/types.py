"""`lifecycle types`: the states, calls and outcomes of a role as types for type checkers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from lifecycle.cli.choosing import role_at
from lifecycle.cli.output import examples, write
from lifecycle.engine import Role

EPILOG = examples(
    "lifecycle types client > client_types.py",
    "lifecycle types mypackage.roles:SESSION",
)


@click.command("types", epilog=EPILOG, short_help="Print a role's names as Literal types.")
@click.argument("role", metavar="ROLE", help="A role of this package, or your own: module:NAME or FILE.toml.")
def types(role: str) -> None:
    """Print a module with Literal types of the role's states, calls and outcomes, for annotations."""
    write("".join(f"{line}\n" for line in _lines(role_at(role))))


def _lines(role: Role) -> Iterator[str]:
    name = "".join(part for part in role.name.title() if part.isalnum())
    prefix = name if name.isidentifier() else "Role"
    yield f'"""The names of the role {role.name!a}: made by `lifecycle types`, from its table."""'
    yield ""
    yield "from typing import Literal"
    yield ""
    for kind, names in (("State", role.states), ("Call", role.calls), ("Outcome", role.outcomes)):
        yield f"{prefix}{kind} = Literal["
        yield from _quoted(each.name for each in names)
        yield "]"


def _quoted(names: Iterable[str]) -> Iterator[str]:
    return (f"    {name!a}," for name in names)
