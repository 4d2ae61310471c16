"""A role that is declared in a TOML file, for tools and teams that share it with other languages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from lifecycle.engine.role import Role, RoleError
from lifecycle.engine.vocabulary import STANDARD_OUTCOMES, Call, Kind, Outcome, State

Named = TypeVar("Named", State, Call, Outcome)

KEYS = frozenset(each.name for each in fields(Role) if each.init)
TEXTS = ("name", "doc", "initial", "closes")


def role_from_toml(path: str | os.PathLike[str]) -> Role:
    """The role that a TOML file declares.

    Its keys are the fields of `Role`. `states`, `calls` and `outcomes` are tables of name = "doc", or of name = {...} with the
    fields of `State`, `Call` and `Outcome`; `outcomes` are beside the standard ones. `rows.STATE.CALL` is a table of
    outcome = "next state", and `reasons.STATE.CALL` a text.

    Raises RoleError, with the file's name, for what is not such a declaration, and whatever `Role` refuses; OSError when the
    file cannot be read.
    """
    import tomllib  # 10 ms that `import lifecycle` does not pay

    with open(path, "rb") as file:
        try:
            declared = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RoleError(f"{os.fspath(path)}: {error}") from None
    try:
        return _role(declared)
    except (TypeError, ValueError) as error:
        raise RoleError(f"{os.fspath(path)}: {error}") from None


def _role(declared: dict[str, Any]) -> Role:
    unknown = declared.keys() - KEYS
    if unknown:
        raise RoleError(f"unknown keys: {', '.join(sorted(unknown))}; a role has {', '.join(sorted(KEYS))}")
    for key in TEXTS:
        if not isinstance(declared.get(key, ""), str):
            raise RoleError(f"{key} = {declared[key]!r}: expected a text")
    if not isinstance(declared.get("final", []), list):
        raise RoleError(f"final = {declared['final']!r}: expected a list of states")
    outcomes = {
        name: {**each, "kind": Kind(each.get("kind", Kind.SUCCESS))} if isinstance(each, Mapping) else each
        for name, each in _table(declared, "outcomes").items()
    }
    return Role(
        **{key: declared[key] for key in TEXTS if key in declared},
        final=frozenset(declared.get("final", ())),
        states=_named(State, _table(declared, "states")),
        calls=_named(Call, _table(declared, "calls")),
        outcomes=(*STANDARD_OUTCOMES, *_named(Outcome, outcomes)),
        rows=tuple(
            (state, call, endings)
            for state in _table(declared, "rows")
            for call, endings in _table(declared["rows"], state).items()
        ),
        reasons={
            (state, call): reason
            for state in _table(declared, "reasons")
            for call, reason in _table(declared["reasons"], state).items()
        },
    )


def _table(of: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = of.get(key, {})
    if not isinstance(found, Mapping):
        raise RoleError(f"{key} = {found!r}: expected a table")
    return found


def _named(kind: type[Named], declared: Mapping[str, Any]) -> tuple[Named, ...]:
    return tuple(kind(name, **each) if isinstance(each, Mapping) else kind(name, each) for name, each in declared.items())
