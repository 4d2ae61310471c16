"""Choosing a role on the command line; the error for an unknown one lists the known ones."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click

from lifecycle.engine import Role
from lifecycle.roles import ROLES


def chosen_role(name: str, among: Iterable[Role] = ROLES.values(), *, where: str = "ROLE", beside: str = "") -> Role:
    """The role of that name, in any capitalisation; wrong usage (exit code 2) when there is none.

    where: the argument or option that the name was given as. beside: a sentence on what else it accepts.
    """
    known = {role.name.lower(): role for role in among}
    role = known.get(name.lower())
    if role is None:
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise click.BadParameter(f"no role {name!r}.{hint} Known roles: {', '.join(known)}.{beside}", param_hint=where)
    return role
