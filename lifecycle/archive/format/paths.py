"""Locates an error in a document: adds notes with the objects being loaded, from the innermost outwards.

Loading does not keep track of them: they are read from the frames of the functions that were running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, FrameType, GeneratorType, TracebackType
from typing import Any

from lifecycle.archive.errors import FormatError, NotSerializable
from lifecycle.archive.format import nesting, objects, templates
from lifecycle.archive.format.record_source import TITLE
from lifecycle.archive.format.wire import Wire

MOST_NOTES = 10

Variables = dict[str, Any]
Event = tuple[str, Any]

OBJECT, CONTAINER, ELEMENT, BEGAN = "object", "container", "element", "began"


def _of_record(found: Variables) -> Iterator[Event]:
    if "_made" in found:
        yield ELEMENT, len(found["_made"])
    if "_thing" in found:
        yield OBJECT, (found["_thing"], found["_coder"].base + found["_begin"], "_made" in found)


EVENTS: dict[CodeType, Callable[[Variables], Iterator[Event]]] = {
    objects.take_object.__code__: lambda found: iter(
        [(OBJECT, (found["thing"], found["at"], True))] if "thing" in found else [(BEGAN, found["at"])]
    ),
    objects.take_body.__code__: lambda found: iter([(OBJECT, (found["thing"], found["decoder"].offset, False))]),
    objects._take_objects.__code__: lambda found: iter([(ELEMENT, len(found["things"])), (BEGAN, found.get("began"))]),
    Wire._load_rest.__code__: lambda found: iter([(ELEMENT, len(found["values"]))]),
    templates.ItemsWire._made.__code__: lambda found: iter([(CONTAINER, found["self"].name)]),
    templates.ItemsWire.load.__code__: lambda found: iter([(CONTAINER, found["self"].name)]),
    templates.MapWire._load_pairs.__code__: lambda found: iter(
        [(CONTAINER, found["self"].name), (ELEMENT, len(found.get("items", ())))]
    ),
}
"""The place in the document, from the variables of a function that was running."""


def add_path(error: FormatError, coder: Any, began: int) -> None:
    """Add notes to an error with the objects it occurred in, and where each began; the outermost value began at `began`."""
    numbers: dict[int, int] | None = None
    lines: list[str] = []
    element = container = last = None
    start: int | None = began
    for event, value in _events(error.__traceback__):
        if event == ELEMENT:
            element = value
        elif event == CONTAINER:
            container, element = value, None
        elif event == BEGAN:
            start = value
        elif value[0] is not last:
            last, at, is_exact = value
            if numbers is None:
                numbers = {id(thing): number for number, thing in enumerate(coder.numbered, 1)}
            number = numbers.get(id(last))
            words = _name(last, coder) + (f" number {number}" if number else "")
            place = f", element {element} of {container or 'an array'}" if element is not None else ""
            lines.append(f"in {words}{place}, began at {at if is_exact or start is None else start}")
            element = container = start = None
    if element is not None:
        lines.append(f"in element {element} of {container or 'an array'}")
    for line in lines[::-1][:MOST_NOTES]:
        error.add_note(line)
    if len(lines) > MOST_NOTES:
        error.add_note(f"and in {len(lines) - MOST_NOTES} more")


def _name(thing: Any, coder: Any) -> str:
    try:
        return str(coder.registry.entry(type(thing)).name)
    except NotSerializable:
        return type(thing).__name__


def _events(traceback: TracebackType | None) -> Iterator[Event]:
    while traceback is not None:
        frame = traceback.tb_frame
        yield from _of_frame(frame)
        if frame.f_code is nesting.Continuation.resume.__code__:
            for running in frame.f_locals["running"]:
                yield from _of_generator(running)
        traceback = traceback.tb_next


def _of_generator(running: Any) -> Iterator[Event]:
    while isinstance(running, GeneratorType) and running.gi_frame is not None:
        yield from _of_frame(running.gi_frame)
        running = running.gi_yieldfrom


def _of_frame(frame: FrameType) -> Iterator[Event]:
    code = frame.f_code
    events = EVENTS.get(code) or (_of_record if code.co_filename.startswith(TITLE) else None)
    return events(frame.f_locals) if events is not None else iter(())
