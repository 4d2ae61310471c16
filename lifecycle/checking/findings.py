"""Findings about a call or a socket, with everything needed to fix them; their text, their data and their groups."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from lifecycle.checking.call_sites import CallSite
from lifecycle.checking.formats.codes import code_named, code_of, code_of_hazard
from lifecycle.checking.kinds import HEADLINES, FindingKind
from lifecycle.checking.observed import INTERNET, ObservedState, answers
from lifecycle.checking.track import Event, SocketTrack, thread_name
from lifecycle.roles.python.hazards import Hazard
from lifecycle.roles.python.observed import shown
from lifecycle.roles.python.words import METHODS
from lifecycle.roles.words import CLOSE

TAKEN = frozenset({"ok", "blocks"})
_OF_ORDER = (FindingKind.ORDER, FindingKind.PORTABILITY, FindingKind.NOTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding.

    kind: order (the system answered with an error that the order explains), portability (works here, is an error by Winsock
    or POSIX), leak (never closed), race (the call was inside the system when the socket was closed). role, state, call: in
    the words of the role's table. place: the line of the program's call, or where a leaked socket was made. code: as `lifecycle
    explain` takes it. legal: the calls that were legal. remedy: the shortest path of calls that makes the call legal, or None.
    reason: why it is wrong. help: advice that is not a path of calls. answer: what this system answered. socket: the socket's
    name in this run. history: its calls up to here.
    """

    kind: FindingKind
    role: str
    state: str
    call: str
    place: CallSite
    code: str
    legal: tuple[str, ...]
    remedy: tuple[str, ...] | None
    reason: str
    help: str
    answer: str
    socket: str
    thread: str
    process: int
    test: str
    history: tuple[Event, ...]
    left_out: int
    is_internet: bool

    @property
    def file(self) -> str:
        """The file of the program's call, or of the line that made a leaked socket."""
        return self.place.file

    @property
    def line(self) -> int:
        """The line in that file."""
        return self.place.line

    @property
    def platform_errors(self) -> Mapping[str, str]:
        """System -> its answer to this call in this state, measured or documented; empty where that is not known."""
        return answers(self.role, self.state, self.call) if self.is_internet else {}

    def matters_on(self, systems: Collection[str]) -> bool:
        """Whether one of these systems may refuse the call: False if each is known to accept it.

        systems: names of lifecycle.system.platform_answers.SYSTEMS. Unknown answers count as refusals.
        """
        if self.kind is not FindingKind.PORTABILITY or not self.is_internet:
            return True
        known = answers(self.role, self.state, self.call, systems=tuple(systems))
        return any(known.get(system) not in TAKEN for system in systems)

    @property
    def shown_state(self) -> str:
        """The state as the package's tables name it."""
        return shown(self.state)

    @property
    def headline(self) -> str:
        """The finding in one line, without its place."""
        head = HEADLINES[self.kind]
        code = code_named(self.code)
        if code is not None and code.hazard is not None:
            return f"{head}: {code.title}" if self.kind is FindingKind.LEAK else f"{head}: {self.call}(): {code.title}"
        match self.kind:
            case FindingKind.LEAK:
                return f"{head}: a {self.role} socket in state {self.shown_state!r} was never closed"
            case FindingKind.RACE:
                return f"{head}: the socket was closed while {self.call}() was running on it"
        return f"{head}: {self.call}() on a {self.role} socket in state {self.shown_state!r}"

    def __str__(self) -> str:
        return "\n  ".join((f"{self.headline}, at {self.place}", *self.advice()))

    def advice(self) -> list[str]:
        """Why it is wrong, what to do, and what systems answer, a sentence or two per line."""
        lines = [f"{self.reason}."] if self.reason else []
        if self.help:
            lines.append(f"{self.help}.")
        elif self.kind in _OF_ORDER:
            first = f"Call {', then '.join(f'{step}()' for step in self.remedy)} first. " if self.remedy else ""
            lines.append(f"{first}Legal here: {', '.join(call for call in self.legal if call in _PLAIN)}.")
        answers = [f"this system answered {self.answer}"] if self.answer else []
        answers += [f"{_SYSTEMS.get(name, name)}: {answer}" for name, answer in self.platform_errors.items()]
        if answers:
            text = "; ".join(answers)
            lines.append(f"{text[0].upper()}{text[1:]}.")
        return lines

    def as_data(self) -> dict[str, Any]:
        """The finding for JSON."""
        data = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("place", "is_internet")}
        return (
            data
            | self.place.as_data()
            | {
                "kind": self.kind.value,
                "state": self.shown_state,
                "platform_errors": dict(self.platform_errors),
                "text": str(self),
                "history": [event_data(event) for event in self.history],
            }
        )


_SYSTEMS = {"winsock": "Winsock", "linux": "Linux", "macos": "macOS", "freebsd": "FreeBSD"}
_PLAIN = frozenset(methods[0] for methods in METHODS.values())


def finding_of(
    track: SocketTrack | None,
    kind: FindingKind,
    state: ObservedState,
    call: str,
    place: CallSite,
    *,
    hazard: Hazard | None = None,
    answer: str = "",
    thread: str = "",
    reason: str = "",
    test: str = "",
    row: str = "",
) -> Finding:
    """A finding about the socket of `track`; None where only its descriptor is known.

    row: the call whose row applies, where an argument of `call` decides that. thread: this one by default.
    """
    row = row or call
    code = code_of(kind, state.facts, row) if hazard is None else code_of_hazard(hazard)
    is_of_order = kind in _OF_ORDER and hazard is None
    return Finding(
        kind=kind,
        role=state.role.name,
        state=state.name,
        call=call,
        place=place,
        code=code.name,
        legal=state.legal_calls(),
        remedy=(CLOSE.name,) if kind is FindingKind.LEAK else state.remedy(row) if is_of_order else None,
        reason=reason or (state.reason(row) if hazard is None else hazard.reason),
        help=state.help(row) if is_of_order else "" if hazard is None else hazard.remedy,
        answer=answer,
        socket="" if track is None else track.name,
        thread=thread or thread_name(),
        process=os.getpid(),
        test=test or ("" if track is None else track.owner),
        history=() if track is None else tuple(track.events),
        left_out=0 if track is None else track.left_out,
        is_internet=track is not None and track.family in INTERNET and is_of_order,
    )


def event_data(event: Event) -> dict[str, Any]:
    """One line of a history for JSON."""
    kept = {name: getattr(event, name) for name in ("call", "outcome", "thread", "error")}
    states = {"state": shown(event.state), "next_state": shown(event.next_state)}
    return kept | states | {"file": event.place.file, "line": event.place.line}


def grouped(findings: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Findings as data, grouped by cause and place, in the order of their first appearance."""
    groups: dict[Sequence[Any], list[Mapping[str, Any]]] = {}
    for finding in findings:
        cause = tuple(finding.get(key) for key in ("kind", "code", "role", "state", "call", "file", "line", "library"))
        groups.setdefault(cause, []).append(finding)
    return list(groups.values())


_SHOWN = 8  # lines of a history


def history_lines(finding: Mapping[str, Any], path: Callable[[str], str] = str) -> Iterator[str]:
    """The history of the socket of a finding as data, one call a line; only the end of a long one.

    path: how a file is shown.
    """
    history = finding["history"]
    if history:
        yield f"History of {finding['socket']}:" + (" ..." if len(history) > _SHOWN else "")
    for event in history[-_SHOWN:]:
        outcome = event["error"] or ("" if event["outcome"] in ("ok", None) else event["outcome"])
        arrow = f" -> {event['next_state']}" if event["next_state"] != event["state"] or event["call"] == "socket" else ""
        place = f"{path(event['file'])}:{event['line']}"
        yield f"  {place}  {event['call']}(){arrow}{f'  [{outcome}]' if outcome else ''}"
