"""Choosing a role on the command line: what is unknown is answered with what is known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click

from lifecycle.engine import Role
from lifecycle.roles import ROLES


def chosen_role(name: str, among: Iterable[Role] = ROLES.values(), *, where: str = "ROLE", beside: str = "") -> Role:
    """The role of that name, however it is capitalised; wrong usage (exit code 2) when there is none.

    where: what the name was given as. beside: what else could be given there, as a sentence.
    """
    known = {role.name.lower(): role for role in among}
    role = known.get(name.lower())
    if role is None:
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise click.BadParameter(f"no role {name!r}.{hint} Known roles: {', '.join(known)}.{beside}", param_hint=where)
    return role
