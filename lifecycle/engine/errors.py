"""The errors of refused calls: IllegalCall and its subclasses.

They are programming errors, and so not OSErrors: an `except OSError` around network code must not swallow them. Their text is
built only when somebody reads it, since a refusal must cost no more than a raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lifecycle.engine.role import LifecycleError, Role
from lifecycle.engine.vocabulary import Kind

PlatformAnswers = Callable[[str, str, str], Mapping[str, str]]
"""(role, state, call) -> {system: what it would have answered}"""


class IllegalCall(LifecycleError):
    """A call that the object's role does not allow in its present state; nothing was touched.

    Only where its subclass StateChangedDuringCall is raised had the call begun.

    Attributes: role and state and call (names), owner (the object's class name), legal (the calls that are legal here,
    in the table's order), reason (why, or ""), remedy (the shortest path of calls to a state where the call is legal, or
    None), platform_errors (system -> what it would have answered; empty where that is not known).
    """

    def __init__(self, role: Role, state: str, call: str, owner: str, answers: PlatformAnswers) -> None:
        super().__init__(role, state, call, owner)
        self._role = role
        self._answers = answers
        self.state = state
        self.call = call
        self.owner = owner

    @property
    def role(self) -> str:
        """The role's name, as in "server"."""
        return self._role.name

    @property
    def legal(self) -> tuple[str, ...]:
        """The calls that are legal in this state, in the table's order."""
        return self._role.legal(self.state)

    @property
    def reason(self) -> str:
        """Why the call is illegal here, or "" where the table does not say."""
        return self._role.reason(self.state, self.call)

    @property
    def remedy(self) -> tuple[str, ...] | None:
        """The calls to make first, shortest path, or None when no path leads to a state where the call is legal."""
        return self._role.remedy(self.state, self.call)

    @property
    def platform_errors(self) -> Mapping[str, str]:
        """System name -> what it would have answered, as measured or documented; empty where that is not known."""
        return self._answers(self.role, self.state, self.call)

    def __str__(self) -> str:
        lines = [self._headline()]
        if self.reason:
            lines.append(f"{_sentence(self.reason)}.")
        lines.append(f"{self._advice()} Legal here: {', '.join(self.legal) or 'nothing'}.")
        if self.platform_errors:
            lines.append(_platform_sentence(self.platform_errors))
        return "\n  ".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._role, self.state, self.call, self.owner, self._answers)

    def _headline(self) -> str:
        fired_by = self._role.call(self.call).fired_by
        if fired_by:
            role, call = fired_by.split(".")
            return f"{class_name(role)}.{call}() with this {self.owner} is not legal in its state {self.state!r}."
        return f"{self.owner}.{self.call}() is not legal in state {self.state!r}."

    def _advice(self) -> str:
        if self._role.never_legal(self.call):
            return f"No state of {self.role!r} takes {self.call}()."
        steps = self._role.steps_to(self.state, self.call)
        if steps is None:
            return f"No call leads from here to a state where {self.call}() is legal."
        advice = ", then ".join(f"{step}() to its end" if kind is Kind.ENDING else f"{step}()" for step, kind in steps)
        return f"Call {advice} first." if steps else "It is legal."


class CallInProgress(IllegalCall):
    """Another call that changes what the object holds is still running on it."""

    def __init__(self, role: Role, state: str, call: str, owner: str, answers: PlatformAnswers, running: str) -> None:
        super().__init__(role, state, call, owner, answers)
        self.running = running

    def __str__(self) -> str:
        text = f"{self.owner}.{self.call}() cannot start while {self.running}() is still running on this object."
        if self.platform_errors:
            text += f"\n  {_platform_sentence(self.platform_errors)}"
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._role, self.state, self.call, self.owner, self._answers, self.running)


class StateChangedDuringCall(IllegalCall):
    """Another call changed the state while this one was running, to one in which it is illegal; its handler has run.

    The effect of the handler remains, but the table has no row for it: the state is the one that the other call led to.
    """

    def __str__(self) -> str:
        lines = [f"{self.owner}.{self.call}() was running when another call changed the state to {self.state!r}."]
        lines.append(f"That state does not take {self.call}(). Legal here: {', '.join(self.legal) or 'nothing'}.")
        return "\n  ".join(lines)


class ClosedDuringCall(StateChangedDuringCall):
    """The object was closed or detached, by another thread or a signal handler, while this call was running."""

    def __str__(self) -> str:
        return f"{self.owner} was closed or detached while {self.call}() was running; its state is now {self.state!r}."


def class_name(role: str) -> str:
    """The name that a role's class usually has: SocketFile for socket_file."""
    return role.title().replace("_", "")


def _sentence(reason: str) -> str:
    """With a capital, unless it begins with a call's name."""
    return reason if "(" in reason.partition(" ")[0] else reason[0].upper() + reason[1:]


SYSTEM_NAMES = {"macos": "macOS", "freebsd": "FreeBSD", "mfc": "MFC"}


def _platform_sentence(answers: Mapping[str, str]) -> str:
    """One sentence for all systems; the first says "would answer" for those behind it."""
    clauses = []
    for system, answer in answers.items():
        name = SYSTEM_NAMES.get(system, system.title())
        match answer:
            case "ok":
                clauses.append(f"{name} would accept it")
            case "blocks":
                clauses.append(f"{name} would wait for ever")
            case _:
                verb = "" if any("answer" in clause for clause in clauses) else "would answer "
                clauses.append(f"{name} {verb}{answer}")
    return ", ".join(clauses) + "."


for _public in (IllegalCall, CallInProgress, StateChangedDuringCall, ClosedDuringCall):
    _public.__module__ = "lifecycle"  # a traceback names them as the user imports them
