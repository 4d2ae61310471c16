"""The ground floor: declares roles, runs them, and attaches a class's methods to them. Knows no sockets, does no I/O."""

from lifecycle.engine.errors import CallInProgress, ClosedDuringCall, IllegalCall, StateChangedDuringCall
from lifecycle.engine.inlining import inlined, usually_zero
from lifecycle.engine.journal import Journal, Observer, Record
from lifecycle.engine.lifecycle import Lifecycle
from lifecycle.engine.methods import fires_into
from lifecycle.engine.reference import compiled_table, machine_of
from lifecycle.engine.role import LifecycleError, Role, RoleError, Row, UnlistedOutcome, stays
from lifecycle.engine.role_file import role_from_toml
from lifecycle.engine.rules import Change, Reason, Rule, always, becomes, expand, expand_reasons, stay, to
from lifecycle.engine.settling import settled
from lifecycle.engine.table import default_engine, set_default_engine
from lifecycle.engine.vocabulary import INTERRUPTED, STANDARD_OUTCOMES, Call, Kind, Outcome, State

__all__ = [
    "Change",
    "Reason",
    "Rule",
    "always",
    "becomes",
    "expand",
    "expand_reasons",
    "stay",
    "to",
    "INTERRUPTED",
    "STANDARD_OUTCOMES",
    "Call",
    "CallInProgress",
    "ClosedDuringCall",
    "IllegalCall",
    "Journal",
    "Kind",
    "Lifecycle",
    "LifecycleError",
    "Observer",
    "Outcome",
    "Record",
    "Role",
    "RoleError",
    "Row",
    "State",
    "StateChangedDuringCall",
    "UnlistedOutcome",
    "compiled_table",
    "default_engine",
    "fires_into",
    "inlined",
    "machine_of",
    "role_from_toml",
    "set_default_engine",
    "settled",
    "stays",
    "usually_zero",
]
