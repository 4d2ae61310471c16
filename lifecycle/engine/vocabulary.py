"""The parts of roles, as frozen data: outcomes, states and calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal


class Kind(StrEnum):
    """The meaning of an outcome for the caller; remedies rely on successes, diagrams draw failures separately."""

    SUCCESS = "success"
    WAITING = "waiting"
    ENDING = "ending"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which a call can end."""

    name: str
    doc: str
    kind: Kind = Kind.SUCCESS


OK = Outcome("ok", "The call succeeded.")
PENDING = Outcome("pending", "The call would have to wait, and the object does not wait.", Kind.WAITING)
TIMED_OUT = Outcome("timed_out", "The object's timeout expired while the call waited.", Kind.WAITING)
EOF = Outcome("eof", "The peer has ended its side: no more data will arrive.", Kind.ENDING)
REFUSED = Outcome("refused", "The other side refused: nothing listens there, or it cannot be reached.", Kind.FAILURE)
BROKEN = Outcome("broken", "The connection is gone: reset, aborted, broken pipe.", Kind.FAILURE)
FAILED = Outcome("failed", "Any other error.", Kind.FAILURE)

STANDARD_OUTCOMES = (OK, PENDING, TIMED_OUT, EOF, REFUSED, BROKEN, FAILED)

INTERRUPTED = Outcome("interrupted", "The call was interrupted; what it began goes on in the system.", Kind.WAITING)


@dataclass(frozen=True, slots=True)
class State:
    """A named phase of the object's life.

    reason: why a call is illegal here when no nearer reason is given.
    facts: the point that the name stands for, as a frozen value of the role's own type; the engine does not look into it.
    part: the part of the role's picture that the state is drawn in, as in "TLS"; "" for the main one.
    """

    name: str
    doc: str
    reason: str = ""
    facts: Any = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the vocabulary.

    reason: why the call is illegal wherever no nearer reason is given.
    exclusive: at most one such call runs on an object at a time; another one raises CallInProgress before its handler runs.
        None, the default, lets the role decide: a call whose success changes the state, after its handler, is exclusive, but
        not the one that closes the object. False: handlers may run at once; those that lose raise StateChangedDuringCall.
    settles: whether the state changes "after" the handler has run, or "before", so that no other call starts meanwhile. What
        settles before takes the outcome that `Lifecycle.outcome_before` gives; if the handler fails in a way that the row
        lists, the object goes where that outcome leads from the first state.
    choices: of a call that settles before: values of its one argument that mean the outcome of the same name. What else it may
        be given, `Lifecycle.outcome_before` knows.
    external: its effect is decided outside the object, so that it is never offered as a remedy.
    fires: the call of a partner's role that this call fires, as in "accepted"; the partner is the call's first argument.
    fired_by: "role.call", the call of another role that fires this one; users never make it themselves.
    waits_for: what a call waits for before it can go on, "readable" or "writable"; it ends when the state no longer takes it.
    errors: outcome -> the names of the errors that mean it, the system's or classes of one's own; one that is not listed
        means `failed`.
    announced_by: the notifications that may be delivered while this call is legal, by name: they say that it can be made.
    enables: the notifications that may be delivered again after this call, by name.
    refuses_flags: names of the flags that the call does not take.
    payload: the argument that holds its users' data, by name, or "result": records show its length, and not its content.
    """

    name: str
    doc: str
    reason: str = ""
    exclusive: bool | None = None
    settles: Literal["before", "after"] = "after"
    choices: tuple[str, ...] = ()
    external: bool = False
    fires: str | None = None
    fired_by: str | None = None
    waits_for: Literal["readable", "writable"] | None = None
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    announced_by: tuple[str, ...] = ()
    enables: tuple[str, ...] = ()
    refuses_flags: tuple[str, ...] = ()
    payload: str = ""

    @property
    def settles_before(self) -> bool:
        """Whether the state changes before the handler runs."""
        return self.settles == "before"
