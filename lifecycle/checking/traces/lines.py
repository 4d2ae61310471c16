"""The lines of a trace by strace as system calls: unfinished and resumed ones joined, annotations taken off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class SystemCall(NamedTuple):
    """A call that has ended, or that has begun (result None and unfinished).

    result: what it returned; None where that is not known. error: the name of its error, or "". line: of the trace. stack: the
    frames of the program, the innermost first, where strace wrote them.
    """

    process: str
    name: str
    arguments: str
    result: int | None
    error: str
    line: int
    unfinished: bool = False
    stack: tuple[str, ...] = ()

    @property
    def descriptor(self) -> int | None:
        """The first argument as a descriptor, or None."""
        found = _NUMBER.match(self.arguments)
        return int(found[1]) if found else None

    def has(self, word: str) -> bool:
        """Whether an argument contains `word`."""
        return word in self.arguments


_NUMBER = re.compile(r"(\d+)")
_PROCESS = re.compile(r"\[pid +(\d+)\] |(\d+) +")
_TIME = re.compile(r"[\d:.]+ +")
_RESULT = re.compile(r"\)\s+= (-?\d+|\?)(?:<[^>]*>)?(?: (E[A-Z0-9]+|ERESTART\w+))?")
_ANNOTATION = re.compile(r"(?<=\d)<(?:->|<->|[^<>\"])*>")
_UNFINISHED = " <unfinished ...>"


def system_calls(lines: Iterable[str], wanted: frozenset[str]) -> Iterator[SystemCall]:
    """The calls of `wanted` in a trace by `strace -f`, with or without -t, -y, -yy and -k."""
    begun: dict[str, tuple[str, str]] = {}
    held: SystemCall | None = None
    stack: list[str] = []
    for number, text in enumerate(lines, 1):
        if text.startswith(" > "):
            stack.append(text[3:].strip())
            continue
        if held is not None:
            yield held._replace(stack=tuple(stack)) if stack else held
            held = None
        stack.clear()
        process, rest = _process_of(text)
        if rest.startswith("<... "):
            name, _, tail = rest[5:].partition(" resumed>")
            before = begun.pop(process, None)
            if name not in wanted or before is None:
                continue
            glue = " " if before[1].endswith(",") else ""
            rest = before[1] + (tail if tail.startswith(")") else glue + tail.lstrip())
        name = rest[: rest.find("(")]
        if name not in wanted:
            continue
        if rest.endswith(_UNFINISHED):
            begun[process] = (name, rest[: -len(_UNFINISHED)].rstrip())
            arguments = _plain(rest[len(name) + 1 : -len(_UNFINISHED)])
            held = SystemCall(process, name, arguments, None, "", number, unfinished=True)
            continue
        ends = _last_result(rest)
        if ends is not None:
            result = None if ends[1] == "?" else int(ends[1])
            held = SystemCall(process, name, _plain(rest[len(name) + 1 : ends.start()]), result, ends[2] or "", number)
    if held is not None:
        yield held._replace(stack=tuple(stack)) if stack else held


def _process_of(text: str) -> tuple[str, str]:
    """The process and the rest of a line, without the time."""
    found = _PROCESS.match(text)
    process, rest = ("0", text) if found is None else (found[1] or found[2], text[found.end() :])
    if rest[:1].isdigit():
        rest = rest[time.end() :] if (time := _TIME.match(rest)) else rest
    return process, rest.rstrip()


def _last_result(text: str) -> re.Match[str] | None:
    """Where the result stands: the last `) = `, since an argument may contain one."""
    place = text.rfind(") ")
    while place >= 0:
        found = _RESULT.match(text, place)
        if found is not None:
            return found
        place = text.rfind(") ", 0, place)
    return None


def _plain(arguments: str) -> str:
    """The arguments without what -y and -yy add to descriptors: `3<TCP:[...]>` is 3."""
    return _ANNOTATION.sub("", arguments) if "<" in arguments else arguments
