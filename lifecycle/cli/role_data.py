"""A role as JSON data."""

from __future__ import annotations

from typing import Any

from lifecycle.diagrams.details import facts_data
from lifecycle.engine import Role


def role_data(role: Role) -> dict[str, Any]:
    """Everything that the role declares, and for every state the legal calls and the reasons and remedies of the others."""
    return {
        "name": role.name,
        "doc": role.doc,
        "initial": role.initial,
        "final": [state.name for state in role.states if state.name in role.final],
        "closes": role.closes,
        "states": [
            {"name": state.name, "doc": state.doc, "facts": facts_data(state), "events": sorted(role.events(state.name))}
            for state in role.states
        ],
        "calls": [
            {
                "name": call.name,
                "doc": call.doc,
                "exclusive": call.exclusive,
                "at_once": call.settles_before,
                "external": call.external,
                "fired_by": call.fired_by,
                "fires": call.fires,
                "settles": call.settles,
                "waits_for": call.waits_for,
                "errors": {outcome: list(names) for outcome, names in call.errors.items()},
                "announced_by": list(call.announced_by),
                "enables": list(call.enables),
                "refuses_flags": list(call.refuses_flags),
                "payload": call.payload,
                "never_legal": role.never_legal(call.name),
            }
            for call in role.calls
        ],
        "outcomes": [{"name": outcome.name, "doc": outcome.doc, "kind": outcome.kind.value} for outcome in role.outcomes],
        "rows": {state: {call: dict(outcomes) for call, outcomes in calls.items()} for state, calls in role.table.items()},
        "legal": {state: list(role.legal(state)) for state in role.table},
        "illegal": {
            state: {
                call: {"reason": role.reason(state, call), "remedy": _listed(role.remedy(state, call))}
                for call in role.illegal(state)
            }
            for state in role.table
        },
    }


def _listed(remedy: tuple[str, ...] | None) -> list[str] | None:
    return None if remedy is None else list(remedy)
