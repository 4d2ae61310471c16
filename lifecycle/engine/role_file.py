"""A role that is declared in a TOML file, for tools and teams that share it with other languages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from lifecycle.engine.role import Role, RoleError
from lifecycle.engine.vocabulary import STANDARD_OUTCOMES, Call, Kind, Outcome, State

Named = TypeVar("Named", State, Call, Outcome)

KEYS = tuple(each.name for each in fields(Role) if each.init)
NEEDED = ("name", "doc", "states", "calls", "rows", "initial", "final")
TEXTS = ("name", "doc", "initial", "closes")


def role_from_toml(path: str | os.PathLike[str]) -> Role:
    """The role that a TOML file declares.

    Its keys are the fields of `Role`. `states`, `calls` and `outcomes` are tables of name = "doc", or of name = {...} with the
    fields of `State`, `Call` and `Outcome`; `outcomes` are beside the standard ones. `rows.STATE.CALL` is a table of
    outcome = "next state", and `reasons.STATE.CALL` a text.

    Raises RoleError, with the file's name, if the file is not such a declaration or `Role` refuses it; OSError if it cannot be
    read.
    """
    import tomllib  # 10 ms that `import lifecycle` does not pay

    with open(path, "rb") as file:
        try:
            declared = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RoleError(f"{os.fspath(path)} is not TOML: {error}") from None
    try:
        return _role(declared)
    except (TypeError, ValueError) as error:
        raise RoleError(f"{os.fspath(path)}: {error}") from None


def _role(declared: dict[str, Any]) -> Role:
    _check_keys("a role", declared, KEYS, NEEDED)
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
    keys = [each.name for each in fields(kind) if each.name != "name"]
    for name, each in declared.items():
        if isinstance(each, Mapping):
            _check_keys(f"{kind.__name__.lower()} {name!r}", each, keys, ("doc",))
    return tuple(kind(name, **each) if isinstance(each, Mapping) else kind(name, each) for name, each in declared.items())


def _check_keys(what: str, found: Mapping[str, Any], known: Iterable[str], needed: Iterable[str]) -> None:
    unknown = sorted(set(found).difference(known))
    if unknown:
        raise RoleError(f"{what} has no key {', '.join(map(repr, unknown))}; its keys are {', '.join(known)}")
    missing = [key for key in needed if key not in found]
    if missing:
        raise RoleError(f"{what} lacks {', '.join(missing)}")
