"""The entries of a role's table other than its rows, as sentences: facts, waiting, errors, notifications, flags."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from lifecycle.engine import Call, State


def facts_data(state: State) -> dict[str, Any] | None:
    """The facts of a state by name; None if the role does not declare any."""
    if not is_dataclass(state.facts):
        return None if state.facts is None else {"facts": str(state.facts)}
    return {each.name: getattr(state.facts, each.name) for each in fields(state.facts)}


def facts_text(state: State) -> str:
    """The facts of a state that differ from those of a new object, such as "handle, address, link yes"."""
    known = facts_data(state) or {}
    defaults = {each.name: each.default for each in fields(state.facts)} if is_dataclass(state.facts) else {}
    differing = {name: value for name, value in known.items() if name not in defaults or value != defaults[name]}
    return ", ".join(name if value is True else f"{name} {value}" for name, value in differing.items())


def call_details(call: Call) -> list[str]:
    """The entries of a call other than its documentation and errors, one sentence per item."""
    said = []
    if call.fired_by:
        said.append(f"Fired by {call.fired_by}(), not called by users.")
    if call.fires:
        said.append(f"Fires {call.fires}() of its partner, the first argument.")
    if call.waits_for:
        said.append(f"Waits until {call.waits_for}.")
    if call.settles_before:
        said.append("The state changes before the handler runs.")
    if call.announced_by or call.enables:
        announced = f"announced by {', '.join(call.announced_by)}" if call.announced_by else ""
        enables = f"enables {', '.join(call.enables)}" if call.enables else ""
        said.append(f"Notifications: {'; '.join(filter(None, (announced, enables)))}.")
    if call.refuses_flags:
        said.append(f"Refuses the flags: {', '.join(call.refuses_flags)}.")
    if call.payload:
        said.append(f"Records show the length of its {call.payload}, and not the {call.payload} itself.")
    return said


def error_details(call: Call) -> list[str]:
    """The system's errors that mean each outcome of a call, one outcome per item; any other error means `failed`."""
    return [f"{outcome}: {', '.join(names)}." for outcome, names in call.errors.items()]
