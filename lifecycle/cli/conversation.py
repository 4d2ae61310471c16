"""The demo's scripted conversation: the reference sequence of operations, a server and a client, each in its own thread.

The two sides wait for each other with bounded waits only. All objects belong to the conversation, which closes them at its
end, so that the failure of one side also ends whatever the other one waits for.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from types import MethodType
from typing import Any, Literal, ParamSpec, TypeVar, cast

from lifecycle.archive import DWORD, Archive, CString, SocketFile
from lifecycle.engine import Lifecycle, LifecycleError
from lifecycle.sockets import Accepted, Address, Client, Server
from lifecycle.sockets.os_socket import OsSocket

HOST = "127.0.0.1"
PATIENCE = 10  # seconds that one side waits for the other

Made = TypeVar("Made", bound=OsSocket)
Given = ParamSpec("Given")
Value = TypeVar("Value")
Kept = OsSocket | SocketFile | Archive


class DemoFailed(LifecycleError):
    """Something of the demo did not go as scripted."""


class OtherSideFailed(LifecycleError):
    """The other side will not come any more."""


@dataclass(frozen=True, slots=True)
class Line:
    """One call of one side, as it is shown."""

    side: str
    step: int
    call: str
    state: str


class Side:
    """One of the two threads: makes objects and calls, and notes each with the state that it leads to."""

    def __init__(self, name: str, conversation: Conversation) -> None:
        self.name = name
        self.step = 0
        self._conversation = conversation

    def makes(self, step: int, kind: type[Made], *, timeout: float | None = None) -> Made:
        """Construct an object of `kind`, which the conversation closes."""
        self.step = step
        made = kind(timeout=timeout)
        self._conversation.keep(made)
        given = "" if timeout is None else f"timeout={timeout}"
        self._note(f"{made.role.name} = {kind.__name__}({given})", made.state)
        return made

    def calls(self, step: int, call: Callable[Given, Value], *args: Given.args, **keywords: Given.kwargs) -> Value:
        """Make a call of a governed object; what it returns."""
        self.step = step
        value = call(*args, **keywords)
        states = [cast(Lifecycle | SocketFile, cast(MethodType, call).__self__).state]
        states += [f"{each.role.name}: {each.state}" for each in args if isinstance(each, Lifecycle)]
        self._note(shown_call(call, *args), "; ".join(states))
        return value

    def lays_a_file_over(self, step: int, socket: Client | Accepted) -> SocketFile:
        """Construct a SocketFile over a connected socket."""
        self.step = step
        file = SocketFile(socket)
        self._conversation.keep(file)
        self._note(f"file = SocketFile({shown(socket)})", file.state)
        return file

    def archives(self, step: int, file: SocketFile, mode: Literal["load", "store"]) -> Archive:
        """Construct an archive over a file."""
        self.step = step
        archive = Archive(file, mode)
        self._conversation.keep(archive)
        self._note(f'{shown(archive)} = Archive(file, "{mode}")', archive.state)
        return archive

    def stores(self, step: int, archive: Archive, *values: object) -> None:
        """Store values and flush them: a message."""
        self.step = step
        for value in values:
            _ = archive << value
            self._note(f"{shown(archive)} << {shown(value)}", archive.state)
        self.calls(step, archive.flush)

    def loads(self, step: int, archive: Archive, *values: Any) -> None:
        """Load the values that the other side's script stores."""
        self.step = step
        for expected in values:
            kind = type(expected)
            value = archive >> kind
            self._note(f"{shown(archive)} >> {kind.__name__} == {shown(value)}", archive.state)
            if value != expected:
                raise DemoFailed(f"{value!r} came instead of {expected!r}")

    def tells(self, address: Address) -> None:
        """Let the other side know where the server listens."""
        self._conversation.address.put(address)

    def is_told(self) -> Address:
        """Wait until the other side tells where the server listens."""
        try:
            address = self._conversation.address.get(timeout=PATIENCE)
        except queue.Empty:
            raise TimeoutError(f"the server did not listen within {PATIENCE} seconds") from None
        if address is None:
            raise OtherSideFailed("the server will never listen")
        return address

    def _note(self, call: str, state: str) -> None:
        self._conversation.lines.append(Line(self.name, self.step, call, state))


QUESTION = (DWORD(7), CString("question"))
ANSWER = (CString("answer"), DWORD(42))


def server_side(this: Side) -> None:
    """The server's part of the script."""
    server = this.makes(1, Server, timeout=PATIENCE)
    this.calls(2, server.create, 0, HOST)
    this.calls(3, server.listen)
    this.tells(server.get_sock_name())
    accepted = this.makes(5, Accepted)
    this.calls(5, server.accept, accepted)
    file = this.lays_a_file_over(6, accepted)
    archive_in, archive_out = this.archives(7, file, "load"), this.archives(7, file, "store")
    this.loads(8, archive_in, *QUESTION)
    this.stores(8, archive_out, *ANSWER)
    for each in (archive_in, archive_out, file, accepted, server):
        this.calls(9, each.close)


def client_side(this: Side) -> None:
    """The client's part of the script."""
    client = this.makes(1, Client, timeout=PATIENCE)
    this.calls(2, client.create, 0, HOST)
    address, port = this.is_told()
    this.calls(4, client.connect, address, port)
    file = this.lays_a_file_over(6, client)
    archive_in, archive_out = this.archives(7, file, "load"), this.archives(7, file, "store")
    this.stores(8, archive_out, *QUESTION)
    this.loads(8, archive_in, *ANSWER)
    for each in (archive_in, archive_out, file, client):
        this.calls(9, each.close)


SCRIPT: dict[str, Callable[[Side], None]] = {"server": server_side, "client": client_side}


class Conversation:
    """One run of the script, and what was noted of it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.address: queue.Queue[Address | None] = queue.Queue()
        self._objects: list[Kept] = []
        self._is_over = False
        self._lock = threading.Lock()

    def run(self) -> None:
        """Run both sides to their ends. Raises DemoFailed when one does not get there, which tells which side, and where."""
        with ThreadPoolExecutor(len(SCRIPT)) as threads, closing(self):
            sides: dict[Future[None], Side] = {}
            for name, part in SCRIPT.items():
                side = Side(name, self)
                sides[threads.submit(_play, part, side)] = side
            ended, running = wait(sides, timeout=2 * PATIENCE, return_when=FIRST_EXCEPTION)
            for future in ended:
                _raise_failure(future, sides[future])
            for future in running:
                raise DemoFailed(f"the {sides[future].name} did not get beyond step {sides[future].step}")

    def keep(self, made: Kept) -> None:
        """Close `made` at the end of the conversation; raises OtherSideFailed when that has come already."""
        with self._lock:
            if self._is_over:
                raise OtherSideFailed("the conversation is over")
            self._objects.append(made)

    def close(self) -> None:
        """Close whatever is still open; a side that still waits for something gets an error at once."""
        with self._lock:
            self._is_over = True
        self.address.put(None)
        for each in reversed(self._objects):
            if isinstance(each, Archive):
                each.abort()
            elif each.state not in each.role.final:
                each.close()


def shown(value: object) -> str:
    """A value as a program would write it; an object by the name of its role."""
    match value:
        case Archive():
            return "archive_in" if value.is_loading else "archive_out"
        case SocketFile():
            return "file"
        case Lifecycle():
            return value.role.name
        case DWORD():
            return f"DWORD({value:d})"
        case CString():
            return f"CString({shown(str(value))})"
        case str():
            return json.dumps(value)
        case bytes():
            return f"b{json.dumps(value.decode('ascii'))}"
    return repr(value)


def shown_call(call: Callable[..., object], *args: object) -> str:
    """A call of a governed object as a program would write it."""
    method = cast(MethodType, call)
    return f"{shown(method.__self__)}.{method.__name__}({', '.join(map(shown, args))})"


def _play(part: Callable[[Side], None], side: Side) -> None:
    threading.current_thread().name = side.name  # which the journal shows
    part(side)


def _raise_failure(future: Future[None], side: Side) -> None:
    error = future.exception()
    if isinstance(error, (OSError, LifecycleError)):
        raise DemoFailed(f"the {side.name} failed in step {side.step}: {type(error).__name__}: {error}") from error
    if error is not None:
        raise error
