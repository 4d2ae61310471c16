"""Choosing a role on the command line; the error for an unknown one lists the known ones."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import click

from lifecycle.engine import Lifecycle, LifecycleError, Role, RoleError, role_from_toml
from lifecycle.roles import ROLES


def chosen_role(name: str, among: Iterable[Role] = ROLES.values(), *, where: str = "ROLE", beside: str = "") -> Role:
    """The role of that name, in any capitalisation; wrong usage (exit code 2) if there is none.

    where: the argument or option with the name. beside: a sentence about what else it accepts.
    """
    known = {role.name.lower(): role for role in among}
    role = known.get(name.lower())
    if role is None:
        near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise click.BadParameter(f"no role {name!r}.{hint} Known roles: {', '.join(known)}.{beside}", param_hint=where)
    return role


def role_at(name: str) -> Role:
    """The role of that name, of a TOML file, or at `module:NAME`, a role or a class that has one; else wrong usage."""
    if name.endswith(".toml"):
        try:
            return role_from_toml(name)
        except OSError as error:
            raise click.BadParameter(f"cannot read {name!r}: {error.strerror}", param_hint="ROLE") from None
        except RoleError as error:
            raise click.BadParameter(str(error), param_hint="ROLE") from None
    module, colon, attribute = name.partition(":")
    if not colon:
        return chosen_role(name, beside=" For your own role, use module:NAME or FILE.toml.")
    here = str(Path.cwd())
    if here not in sys.path:  # as `python -m` does it
        sys.path.insert(0, here)
    try:
        found = import_module(module)
    except (ImportError, ValueError, LifecycleError) as error:
        raise click.BadParameter(f"cannot import {module!r}: {error}", param_hint="ROLE") from None
    value = getattr(found, attribute, None)
    if isinstance(value, type) and issubclass(value, Lifecycle):
        value = getattr(value, "role", None)
    if not isinstance(value, Role):
        known = ", ".join(key for key, each in vars(found).items() if isinstance(each, Role)) or "none"
        raise click.BadParameter(f"{module!r} has no role {attribute!r}. Roles in it: {known}.", param_hint="ROLE")
    return value
