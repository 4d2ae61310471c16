"""A socket agent: a program that makes calls of sockets, one a line of its standard input, with one line of answer each.

A command whose answer nobody waits for travels with the next one. Every answer has a deadline: if the program hangs or ends,
Hangs is raised, which the suite counts, and the program is started anew when it is needed again, without its earlier sockets.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress

from lifecycle.conformance.driving.run import BREACH
from lifecycle.conformance.driving.watchdog import WATCHDOG, Hangs
from lifecycle.roles.words import ACCEPT, SEND

PROTOCOL = 1
HELLO = "hello"
ANSWERS_WITHIN = 3.0  # seconds, beyond the time that the call itself may wait
STARTS_WITHIN = 30.0  # seconds until the first answer: a virtual machine is loaded, or Wine prepares itself
SLOTS = 4000
PART = 1 << 18
LATE = "ok 0"  # the answer if a wait for a change of a socket was in vain


LONGEST = 1 << 23  # bytes of a line
SHOWN = 60  # characters of an invalid line that are shown

_ADDRESS, _DATA, _COUNT = r"\S+ \d+", r"(?:-|(?:[0-9a-fA-F]{2})+)", r"\d+"
VALUES: Mapping[str, re.Pattern[str]] = {
    verb: re.compile(values)
    for verb, values in {
        ACCEPT.name: _ADDRESS,
        "getsockname": _ADDRESS,
        "getpeername": _ADDRESS,
        "recv": _DATA,
        "recvfrom": f"{_DATA} {_ADDRESS}",
        SEND.name: _COUNT,
        "sendto": _COUNT,
        "fill": _COUNT,
        "getsockopt": r"-?\d+",
        "error": r"0|[^\W\d]\S*",
        "becomes": "0|1",
    }.items()
}
"""verb -> the fields after the `ok` of its answer"""
NOT_OK = re.compile(r"err [^\W\d]\S*|timeout|lacks")


class BadAgent(ValueError):
    """A program does not speak the protocol; the text says where."""


class Agent:
    """The program, started when it is needed. Raises BadAgent where it cannot be started, or is not an agent.

    command: a command line, split as by a shell. answers_within: seconds in which it must answer.
    """

    def __init__(self, command: str, *, answers_within: float = ANSWERS_WITHIN) -> None:
        self.command = command
        self.answers_within = answers_within
        self.generation = 0
        """the number of starts of the program so far"""
        self.told: Mapping[str, str] = {}
        """its description of itself"""
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._posted: list[str] = []
        self._posted_seconds = 0.0
        self.is_late = False
        """whether a wait was in vain"""
        self._free: list[int] = []

    def start(self) -> None:
        """Start the program if it does not run."""
        if self._process is not None:
            return
        try:
            words, pipe = shlex.split(self.command), subprocess.PIPE
            self._process = subprocess.Popen(words, stdin=pipe, stdout=pipe, bufsize=0)
        except (OSError, ValueError) as error:
            raise BadAgent(f"{self.command!r} cannot be started: {error}") from error
        self._buffer, self._posted, self._posted_seconds, self._free = b"", [], 0.0, list(range(SLOTS, 0, -1))
        self.generation += 1
        try:
            with WATCHDOG.pausing():  # after a hang it waits less, but as long as a program needs to start
                first = self.ask(f"{HELLO} 0 {PROTOCOL}", within=STARTS_WITHIN)
        except Hangs as error:
            WATCHDOG.hung -= 1
            raise BadAgent(f"{self.command!r} does not say hello: {error}") from None
        word, _, rest = first.partition(" ")
        pairs = rest.split()
        self.told = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
        if word != "ok" or self.told.get("protocol") != str(PROTOCOL):
            self.close()
            raise BadAgent(f"{self.command!r} does not speak protocol {PROTOCOL}: it answers {first[:80]!r} to hello")

    def slot(self) -> int:
        """A number that names no socket so far."""
        self.start()
        return self._free.pop()

    def give_back(self, slot: int, generation: int) -> None:
        """Release the number of a socket, of that start of the program."""
        if generation == self.generation and self._process is not None:
            self.post(f"forget {slot}")
            self._free.append(slot)

    def post(self, line: str, *, within: float = 0.0) -> None:
        """Send a command that may take so many seconds, without waiting for its answer; the next one takes it along."""
        self._posted.append(line)
        self._posted_seconds += within

    def ask(self, line: str, *, within: float = 0.0) -> str:
        """The answer to a command that may take so many seconds.

        Raises Hangs where the program hangs, has ended, or answers something that is not in the protocol.
        """
        self.start()
        to = _number(self._process, "stdin")
        skipped, self._posted = self._posted, []
        within, self._posted_seconds = within + self._posted_seconds, 0.0
        try:
            self._refuse_more(is_first=line.startswith(HELLO))
            data = "\n".join((*skipped, line, "")).encode()
            with suppress(BrokenPipeError):  # an answer that it gave before it ended is still read
                while data:
                    data = data[os.write(to, data) :]
            ends = time.monotonic() + within + self.answers_within
            for each in skipped:
                self.is_late |= self._answer(each, ends) == LATE
            return self._answer(line, ends)
        except BaseException:  # an interrupted answer would be taken for the next one
            self.close()
            raise

    def _answer(self, command: str, ends: float) -> str:
        line, verb = self._line(ends), command.partition(" ")[0]
        word, _, rest = line.partition(" ")
        values = VALUES.get(verb)
        is_one = (values is None or values.fullmatch(rest)) if word == "ok" else NOT_OK.fullmatch(line)
        if not is_one and verb != HELLO:
            raise _breach(f"{line[:SHOWN]!r}, to {verb}")
        return line

    def _line(self, ends: float) -> str:
        out = _number(self._process, "stdout")
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if found:
                self._buffer = rest
                return line.decode("ascii", "replace").rstrip("\r")
            if len(self._buffer) > LONGEST:
                raise _breach(f"a line of more than {LONGEST >> 20} MiB")
            if not select.select([out], [], [], max(ends - time.monotonic(), 0))[0]:
                WATCHDOG.hung += 1
                raise Hangs
            part = os.read(out, PART)
            if not part:
                raise self._gone()
            self._buffer += part

    def _refuse_more(self, *, is_first: bool) -> None:
        """Raise Hangs for an unexpected line: it would be taken for the answer to the next command."""
        out = _number(self._process, "stdout")
        if not self._buffer and select.select([out], [], [], 0)[0]:
            self._buffer = os.read(out, PART)  # nothing if the program has ended, which the next command finds
        if self._buffer and not is_first:
            text = self._buffer.partition(b"\n")[0].decode("ascii", "replace")
            raise _breach(f"{text[:SHOWN]!r}, to nothing")

    def _gone(self) -> Hangs:
        assert self._process is not None
        status = self._process.wait()
        self.close()
        WATCHDOG.hung += 1
        return Hangs(f"the agent has ended with {status}")

    def close(self) -> None:
        """End the program."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()


def _number(process: subprocess.Popen[bytes] | None, pipe: str) -> int:
    number: int = getattr(process, pipe).fileno()
    return number


def _breach(what: str) -> Hangs:
    WATCHDOG.hung += 1
    return Hangs(BREACH + what)
