"""The demo's programs: the displayed text is the text that runs.

Two of them are the reference sequence of operations, a server and a client, each in its own thread. They wait for each other
with bounded waits only, and their objects belong to the conversation, which closes them at its end: the failure of one side
also ends the waits of the other. The others try one illegal call each.
"""

from __future__ import annotations

import ast
import io
import json
import linecache
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from lifecycle import Accepted, Address, Archive, Client, Datagram, IllegalCall, LifecycleError, Server, SocketFile
from lifecycle.archive import DWORD, CString

HOST = "127.0.0.1"
PATIENCE = 10  # seconds that one side waits for the other

CONVERSATION = {
    "server": """
        1 server = Server(timeout=PATIENCE)
        2 server.create(0, HOST)
        3 server.listen()
        3 publish(server.local_address)
        5 accepted = Accepted()
        5 server.accept(accepted)
        6 file = SocketFile(accepted)
        7 archive_in = Archive(file, "load")
        7 archive_out = Archive(file, "store")
        8 archive_in >> DWORD == 7
        8 archive_in >> CString == "question"
        8 archive_out << CString("answer")
        8 archive_out << DWORD(42)
        8 archive_out.flush()
        9 archive_in.close()
        9 archive_out.close()
        9 file.close()
        9 accepted.close()
        9 server.close()
    """,
    "client": """
        1 client = Client(timeout=PATIENCE)
        2 client.create(0, HOST)
        4 client.connect(*published(PATIENCE))
        6 file = SocketFile(client)
        7 archive_in = Archive(file, "load")
        7 archive_out = Archive(file, "store")
        8 archive_out << DWORD(7)
        8 archive_out << CString("question")
        8 archive_out.flush()
        8 archive_in >> CString == "answer"
        8 archive_in >> DWORD == 42
        9 archive_in.close()
        9 archive_out.close()
        9 file.close()
        9 client.close()
    """,
}
"""side -> lines of an operation's number and its Python; a comparison has to hold, and publish() gives published() its value"""

ATTEMPTS = (
    """
        server = Server(timeout=PATIENCE)
        server.create(0, HOST)
        server.accept()
    """,
    """
        client = Client(timeout=PATIENCE)
        client.create(0, HOST)
        client.send(b"too early")
    """,
    """
        accepted = Accepted(timeout=PATIENCE)
        accepted.create(0, HOST)
    """,
    """
        datagram = Datagram(timeout=PATIENCE)
        datagram.open()
        datagram.receive_from()
    """,
    """
        server = Server(timeout=PATIENCE)
        server.create(0, HOST)
        server.listen()
        client = Client(timeout=PATIENCE)
        client.create(0, HOST)
        client.connect(*server.local_address)
        file = SocketFile(client)
        file.seek(0)
    """,
    """
        archive = Archive(io.BytesIO(), "load")
        archive << DWORD(5)
    """,
)
"""Typical mistakes of beginners, one program for each role: its last line is refused"""

Governed = Accepted | Archive | Client | Datagram | Server | SocketFile


class DemoFailed(LifecycleError):
    """A line of the demo did not have the expected effect."""


class ConversationOver(LifecycleError):
    """An object was made after the end of the conversation."""


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of one side as it ran, and the states of its objects afterwards."""

    side: str
    step: int
    code: str
    states: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A program whose last line was refused, and the error."""

    program: tuple[str, ...]
    error: IllegalCall


class DemoProgram:
    """Runs lines of Python in order, in one namespace. keep: is called with each object that a line makes."""

    def __init__(self, name: str, keep: Callable[[Governed], object], **names: object) -> None:
        self.name = name
        self.step = 0
        self._keep = keep
        self._names: dict[str, Any] = dict(
            Accepted=Accepted, Archive=Archive, CString=CString, Client=Client, DWORD=DWORD, Datagram=Datagram, Server=Server,
            SocketFile=SocketFile, io=io, **names,
        )  # fmt: skip
        self._count = 0
        self._lines: list[str] = []
        linecache.cache[f"<{name}>"] = (0, None, self._lines, name)  # for the page of the run, and tracebacks

    def run(self, code: str) -> str:
        """Run one line; return the states of its objects. Raises DemoFailed for a comparison that is false."""
        self._count += 1
        self._lines.append(f"{code}\n")
        module = ast.increment_lineno(ast.parse(code, f"<{self.name}>"), self._count - 1)
        statement = module.body[0]
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Compare):
            found, expected = (self._value(each) for each in (statement.value.left, *statement.value.comparators))
            if found != expected:
                raise DemoFailed(f"{found!r} arrived instead of {expected!r}")
        else:
            exec(compile(module, f"<{self.name}>", "exec"), self._names)
        if isinstance(statement, ast.Assign):
            self._keep(self._names[ast.unparse(statement.targets[0])])
        first, *others = self._objects(statement)
        return "; ".join([first[1].state, *(f"{name}: {each.state}" for name, each in others)])

    def _value(self, expression: ast.expr) -> Any:
        return eval(compile(ast.Expression(expression), f"<{self.name}>", "eval"), self._names)

    def _objects(self, statement: ast.stmt) -> list[tuple[str, Governed]]:
        """The objects of a statement by their names, in order; for an assignment, the object that it made."""
        where = statement.targets[0] if isinstance(statement, ast.Assign) else statement
        names = sorted((each for each in ast.walk(where) if isinstance(each, ast.Name)), key=lambda each: each.col_offset)
        found = ((each.id, self._names[each.id]) for each in names)
        return [(name, value) for name, value in found if isinstance(value, Governed)]


class Conversation:
    """One run of the two sides, and the lines that ran."""

    def __init__(self) -> None:
        self.lines: list[ShownLine] = []
        self._address: Future[Address] = Future()
        self._objects: list[Governed] = []
        self._is_over = False
        self._lock = threading.Lock()

    def run(self) -> None:
        """Run both sides to their ends. Raises DemoFailed, naming the side and the step, if one does not finish."""
        with ThreadPoolExecutor(len(CONVERSATION)) as threads, closing(self):
            sides: dict[Future[None], DemoProgram] = {}
            for name, text in CONVERSATION.items():
                side = DemoProgram(name, self.keep, publish=self._address.set_result, published=self._address.result)
                sides[threads.submit(self._play, side, text)] = side
            ended, running = wait(sides, timeout=2 * PATIENCE, return_when=FIRST_EXCEPTION)
            for future in ended:
                _raise_failure(future, sides[future])
            for future in running:
                raise DemoFailed(f"the {sides[future].name} did not get beyond step {sides[future].step}")

    def keep(self, made: Governed) -> None:
        """Close `made` at the end of the conversation; raises ConversationOver after that."""
        with self._lock:
            if not self._is_over:
                self._objects.append(made)
                return
        _release(made)
        raise ConversationOver("the conversation is over")

    def close(self) -> None:
        """Close all open objects; a side that still waits gets an error at once."""
        with self._lock:
            self._is_over = True
        self._address.cancel()
        for each in reversed(self._objects):
            _release(each)

    def _play(self, side: DemoProgram, text: str) -> None:
        threading.current_thread().name = side.name  # which the journal shows
        for line in _lines(text):
            number, code = line.split(maxsplit=1)
            side.step = int(number)
            states = side.run(code)
            self.lines.append(ShownLine(side.name, side.step, code, states))


def refused(text: str) -> Refusal:
    """Run a program whose last line is illegal. Raises DemoFailed if that is not refused, OSError if another line fails."""
    lines = _lines(text)
    with ExitStack() as made:
        program = DemoProgram(f"attempt {ATTEMPTS.index(text) + 1}", lambda each: made.callback(_release, each))
        for line in lines[:-1]:
            program.run(line)
        try:
            program.run(lines[-1])
        except IllegalCall as error:
            return Refusal(tuple(lines), error)
    raise DemoFailed(f"{lines[-1]} was not refused")


def _lines(text: str) -> list[str]:
    filled = text.replace("HOST", json.dumps(HOST)).replace("PATIENCE", str(PATIENCE))
    return [line.strip() for line in filled.strip().splitlines()]


def _release(each: Governed) -> None:
    """Close an object that is still open; an archive without sending its buffer, for that could wait."""
    if isinstance(each, Archive):
        each.abort()
    elif each.state not in each.role.final:
        each.close()


def _raise_failure(future: Future[None], side: DemoProgram) -> None:
    error = future.exception()
    if isinstance(error, (OSError, LifecycleError)):
        raise DemoFailed(f"the {side.name} failed in step {side.step}: {type(error).__name__}: {error}") from error
    if error is not None:
        raise error
