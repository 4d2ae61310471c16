"""A program with the real MFC, under Wine: a line in, a line out."""

from __future__ import annotations

import os
import select
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from .runtimes import Runtime
from .wine import Wine


class NoAnswer(Exception):
    """The program ended, or did not answer in time."""


@dataclass(frozen=True)
class DeclaredClass:
    """A serializable class of the agent: an object of it loads by these tokens."""

    name: str
    schema: int
    tokens: str
    versionable: bool = False


CLASSES = (
    DeclaredClass("CAge", 1, "raw:2"),
    DeclaredClass("CPerson", 3, "schema sw raw:2", versionable=True),
    DeclaredClass("CNode", 0, "ob"),
    DeclaredClass("CEmpty", 0, ""),
    DeclaredClass("CTwo", 7, "ob ob"),
    DeclaredClass("C" + "x" * 62, 65534, ""),
)
"""The classes that every agent knows, by their numbers."""

VERSIONABLE = 0x80000000  # MFC's VERSIONABLE_SCHEMA


class Agent:
    """A running agent; a context manager, which ends it. `program` is "archive_agent" or "socket_agent"."""

    def __init__(self, wine: Wine, place: Path, runtime: Runtime, program: str = "archive_agent", seconds: float = 30) -> None:
        self.wine, self.place, self.runtime, self.program, self.seconds = wine, place, runtime, program, seconds
        self.start()

    def start(self) -> None:
        """Start the program, and declare the classes."""
        self.process = self.wine.popen(
            [self.place / f"{self.program}.exe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.unread = b""
        for number, kind in enumerate(CLASSES):
            schema = kind.schema | (VERSIONABLE if kind.versionable else 0)
            self.expect("ok", f"class {number} {kind.name} {schema} {kind.tokens}")

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """End the program."""
        self.process.kill()
        self.process.wait(self.seconds)
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()

    def ask(self, line: str, seconds: float | None = None) -> str:
        """The answer to a line; NoAnswer when none came in so many seconds."""
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise NoAnswer(f"{self.program} has ended") from None
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], self.seconds if seconds is None else seconds)
            data = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            if not data:
                raise NoAnswer(f"{self.program} {'ended' if ready else 'does not answer'} after {line[:200]}")
            self.unread += data
        answer, _, self.unread = self.unread.partition(b"\n")
        return answer.decode("latin-1")

    def expect(self, wanted: str, line: str) -> str:
        """The answer to a line, which must begin with the wanted word."""
        answer = self.ask(line)
        if answer.split(" ")[0].split(":")[0] != wanted:
            raise AssertionError(f"{line}: {answer}, not {wanted}")
        return answer

    def stored(self, tokens: str, setup: tuple[str, ...] | list[str] = (), buffer: int = 4096) -> str:
        """What the real CArchive writes: "ok HEX", or "exc CLASS CAUSE HEX"."""
        for line in setup:
            self.expect("ok", line)
        return self.ask(f"store {buffer} {tokens}")

    def loaded(self, data: bytes, tokens: str, buffer: int = 4096) -> str:
        """What the real CArchive reads, up to the first exception; the program is started anew when it does not answer."""
        try:
            answer = self.ask(f"load {data.hex() or '-'} {buffer} {tokens}", seconds=20)
        except NoAnswer as missing:
            self.end()
            self.start()
            return f"no answer: {missing}"
        values, exception, rest = f" {answer}".partition(" exc ")
        cause = rest.split()[:2]
        return " ".join([*values.split(), *(["exc", *cause] if exception else [])])
