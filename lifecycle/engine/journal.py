"""Records of calls, and the observers that are notified of them.

A call is reported when it begins and when it ends, since a close can overtake a send. While nobody observes, no record is made
and no call is slower: the first observer switches the generated methods to the path that records, the last one back.
"""

from __future__ import annotations

import reprlib
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence
from dataclasses import asdict, dataclass, replace
from types import FrameType
from typing import Any, Protocol
from weakref import ref

RESULT = "result"
"""The value of Call.payload for a call whose result is the payload"""

_SHOWN = 40
"""characters of an argument"""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _SHOWN


class Payload:
    """Stands in records for data that is not shown: its length, or what kind of thing it is."""

    _text: str

    def __init__(self, data: object) -> None:
        if isinstance(data, Payload):
            self._text = data._text
        elif isinstance(data, str):
            self._text = f"<{len(data)} characters>"
        elif isinstance(data, (bytes, bytearray, memoryview)):
            self._text = f"<{memoryview(data).nbytes} bytes>"
        elif isinstance(data, (list, tuple)) and data:
            self._text = f"({', '.join(repr(Payload(each)) for each in data[:_SHOWN])})"
        else:
            self._text = f"<{type(data).__name__}>"

    def __repr__(self) -> str:
        return self._text


@dataclass(slots=True, eq=False)
class Record:
    """One call on one object. Times are seconds of time.perf_counter(); `ended` is None while the call runs.

    `outcome` is None while the call runs and where its arguments were refused before anything happened; a call that the
    role forbids has the outcome "illegal" and its reason in `error`. `arguments` and `result` show how long a payload is:
    `result` is "" but for calls whose result is one.
    """

    role: str
    subject: str
    state: str
    call: str
    thread: str
    file: str
    line: int
    arguments: str
    began: float
    ended: float | None = None
    outcome: str | None = None
    next_state: str | None = None
    error: str = ""
    result: str = ""

    def end(self, outcome: str | None, next_state: str, error: BaseException | None = None) -> None:
        """Complete the record; the clock is read here."""
        self.ended = time.perf_counter()
        self.outcome = outcome
        self.next_state = next_state
        self.error = f"{type(error).__name__}: {error}" if error is not None else ""


class RecordWithPayload(Record):
    """A record beside one with the payload, for the observers that asked for it."""

    __slots__ = ("shown",)

    shown: Record

    def end(self, outcome: str | None, next_state: str, error: BaseException | None = None) -> None:
        """Complete both."""
        Record.end(self, outcome, next_state, error)
        self.shown.end(outcome, next_state, error)


class Observer(Protocol):
    """Is notified of calls. Both methods run in the thread of the call and must neither raise nor block."""

    def began(self, record: Record, target: object) -> None:
        """A call on `target` has begun."""

    def ended(self, record: Record, target: object) -> None:
        """The call of `record` has ended, or was refused."""


class Observers:
    """The present observers; on_switch() callbacks run when the first one is added and when the last one is removed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._present: tuple[Observer, ...] = ()
        self._switches: list[Callable[[bool], None]] = []

    @property
    def present(self) -> tuple[Observer, ...]:
        """The present observers."""
        return self._present

    def on_switch(self, switch: Callable[[bool], None]) -> None:
        """Have `switch(observed)` called now and whenever observation starts or stops."""
        with self._lock:
            self._switches.append(switch)
            switch(bool(self._present))

    def add(self, observer: Observer) -> None:
        """Notify `observer` of every call from now on."""
        self._replace(lambda present: (*present, observer))

    def remove(self, observer: Observer) -> None:
        """Stop notifying `observer`; one that was never added is ignored."""
        self._replace(lambda present: tuple(each for each in present if each is not observer))

    def _replace(self, change: Callable[[tuple[Observer, ...]], tuple[Observer, ...]]) -> None:
        with self._lock:
            before = bool(self._present)
            self._present = change(self._present)
            if bool(self._present) != before:
                for switch in self._switches:
                    switch(not before)


OBSERVERS = Observers()


class Journal:
    """Records every call while its `with` block runs, or only those on the objects it was given.

    limit: how many records to keep, the newest ones; None for all. A program that runs for long gives one. payloads: whether to
    show the begin of what is sent, too, which is never shown over TLS. An object that was made with `journal=` records its
    calls in it also outside the block.

    >>> from lifecycle import Journal, Server
    >>> with Journal() as journal, Server() as server:
    ...     server.create(0, "127.0.0.1")
    >>> [(record.call, record.outcome) for record in journal.records]
    [('create', 'ok'), ('close', 'ok')]
    """

    def __init__(self, *only: object, limit: int | None = None, payloads: bool = False) -> None:
        self.only = only
        self.payloads = payloads
        self.records: MutableSequence[Record] = [] if limit is None else deque(maxlen=limit)
        self._names: dict[int, tuple[ref[object], str]] = {}
        self._counts: Counter[str] = Counter()
        self._naming = threading.RLock()

    def __enter__(self) -> Journal:
        OBSERVERS.add(self)
        return self

    def __exit__(self, *exception: object) -> None:
        OBSERVERS.remove(self)

    def began(self, record: Record, target: object) -> None:
        """Part of Observer: note the record, and name its object by class and number of appearance."""
        if self.only and not any(target is each for each in self.only):
            return
        with self._naming:
            record.subject = self._name(target)
        if self.payloads and isinstance(record, RecordWithPayload):
            record.shown.subject = record.subject
            record = record.shown
        self.records.append(record)

    def ended(self, record: Record, target: object) -> None:
        """Part of Observer: the record completes itself."""

    def lines(self) -> Iterator[str]:
        """The records as JSON, one object a line, times relative to the first record."""
        import json  # only a journal that is printed needs it

        start = self.records[0].began if self.records else 0.0
        for record in self.records:
            ended = None if record.ended is None else round(record.ended - start, 6)
            fields = asdict(replace(record, began=round(record.began - start, 6), ended=ended))
            yield json.dumps(fields)

    def cells(self) -> set[tuple[str, str, str, str]]:
        """Every (role, state, call, outcome) that was reached."""
        return {(r.role, r.state, r.call, r.outcome) for r in self.records if r.outcome is not None}

    def _name(self, target: object) -> str:
        known = self._names.get(id(target))
        if known is not None and known[0]() is target:
            return known[1]
        kind = type(target).__name__
        self._counts[kind] += 1
        name = f"{kind}#{self._counts[kind]}"
        # By identity: an object may be equal to another one, or not be hashable.
        number = id(target)
        self._names[number] = ref(target, lambda _: self._names.pop(number, None)), name
        return name


def begin_record(
    role: str,
    state: str,
    call: str,
    arguments: Iterable[object],
    keywords: Mapping[str, object],
    internal: tuple[str, ...],
    kind: type[Record] = Record,
) -> Record:
    """A record of a call that begins now, in this thread, at the nearest line outside the modules that are internal to it."""
    file, line = _caller(internal)
    return kind(
        role=role,
        subject="",
        state=state,
        call=call,
        thread=threading.current_thread().name,
        file=file,
        line=line,
        arguments=shown_arguments(arguments, keywords),
        began=time.perf_counter(),
    )


def shown_arguments(arguments: Iterable[object], keywords: Mapping[str, object]) -> str:
    """A short text of a call's arguments."""
    shown = [_shown(argument) for argument in arguments]
    return ", ".join([*shown, *(f"{name}={_shown(value)}" for name, value in keywords.items())])


def without_defaults(
    handler: Any, arguments: tuple[object, ...], keywords: Mapping[str, object]
) -> tuple[tuple[object, ...], Mapping[str, object]]:
    """The arguments of a call but for the last ones that its handler has by default: a generated method passes all of them."""
    defaults = getattr(handler, "__defaults__", None) or ()
    first = handler.__code__.co_argcount - 1 - len(defaults) if defaults else 0
    end = len(arguments)
    while end > first >= 0 and defaults and end - 1 - first < len(defaults) and arguments[end - 1] is defaults[end - 1 - first]:
        end -= 1
    return arguments[:end], {name: value for name, value in keywords.items() if value is not ...}


def without_payload(
    handler: Any, name: str, arguments: tuple[object, ...], keywords: Mapping[str, object]
) -> tuple[tuple[object, ...], dict[str, object]]:
    """The arguments of a call, with the length of the one of that name in its place."""
    names = handler.__code__.co_varnames
    place = names.index(name) - 1 if name in names else -1
    return (
        tuple(Payload(each) if number == place else each for number, each in enumerate(arguments)),
        {each: Payload(value) if each == name else value for each, value in keywords.items()},
    )


def _shown(value: object) -> str:
    """A short text; only as many bytes as are shown are formatted."""
    if isinstance(value, bytes | bytearray) and len(value) > _SHOWN:
        value = value[: _SHOWN // 2] + value[-_SHOWN // 2 :]
    return _short.repr(value)


def _caller(internal: tuple[str, ...]) -> tuple[str, int]:
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_internal(frame, internal):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def _is_internal(frame: FrameType, internal: tuple[str, ...]) -> bool:
    """Whether a frame is of these modules, or that of a handler which is inlined into its checked method."""
    return frame.f_globals.get("__name__", "").startswith(internal) or "_lc_node" in frame.f_code.co_varnames
