"""Stages for the roles above the sockets: a file over a connection, and an archive over a scripted file."""

from __future__ import annotations

import errno
import io
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from lifecycle.archive import Archive, SocketFile, UnreadBytesLost
from lifecycle.conformance.adapters.loopback import Loopback
from lifecycle.conformance.adapters.objects import OutcomeTrace, ReportingStage
from lifecycle.conformance.adapters.peers import StreamPeer
from lifecycle.conformance.adapters.session import TIMEOUTS, flood
from lifecycle.conformance.adapters.setup_states import address_of
from lifecycle.conformance.model import environments as words
from lifecycle.conformance.model.archive_environment import REGISTRY, FileDoes
from lifecycle.conformance.model.environment import ALL, Facts, Place, Provocation, Under
from lifecycle.engine import Lifecycle
from lifecycle.net.blocking.client import Client
from lifecycle.roles import ARCHIVE, SOCKET_FILE
from lifecycle.roles.archive import NEW
from lifecycle.roles.facts import is_new
from lifecycle.roles.words import ATTACH
from lifecycle.system.outcomes import system_error

FILLED_IN: Mapping[Place, Callable[[], Any]] = {words.NO_CONNECTION: lambda: None, words.FLOOD: flood}
"""a place -> the argument that stands for it; of a connection it is the stage's own"""


class FileStage(ReportingStage):
    """A socket file over a connected client."""

    role = SOCKET_FILE

    def __init__(self, kind: type[Any], loopback: Loopback, engine: str | None, trace: OutcomeTrace) -> None:
        super().__init__(trace)
        self.subject = kind(exact=False, engine=engine)
        self._client = Client(timeout=0, engine=engine)
        self._peer = StreamPeer(loopback, self._address)
        self._loopback = loopback
        self._kept: list[SocketFile] = []

    def make(self, provocation: Provocation) -> Any:
        """Make the call; if another object fires it, through that object."""
        self._client.timeout = TIMEOUTS[provocation.under]
        arguments = tuple(self._filled_in(argument) for argument in provocation.arguments)
        self._trace.target = self.subject
        if provocation.call == ARCHIVE.name:
            whole = SocketFile.__new__(SocketFile)
            whole._governed = self.subject
            self._kept.append(whole)  # which would close the object when it is collected
            return Archive(whole, "load").abort()
        value = getattr(self.subject, provocation.call)(*arguments)
        if provocation.call == "write":
            if not provocation.costly:  # which no peer reads to its end
                self._peer.expect(bytes(arguments[0][:value]))
            return ALL if value == len(arguments[0]) else value
        return value

    def act(self, action: str) -> None:
        """Let the peer do something, or close the socket below the file."""
        if action == "socket_closes":
            self._client.close()
        else:
            getattr(self._peer, action)()

    def settle(self, facts: Facts) -> None:
        """Wait until the effects of these facts have arrived at the socket below the file."""
        self._loopback.settle(self._client.fileno(), facts)

    def close(self) -> None:
        """Close the file, the peer and the socket."""
        self._peer.close()
        self.subject.close()
        self._client.close()

    def _filled_in(self, argument: Any) -> Any:
        if argument == words.CONNECTION:
            return self._connected()
        return FILLED_IN[argument]() if isinstance(argument, Place) else argument

    def _connected(self) -> Client:
        if is_new(self._client.facts):
            self._client.create(0, "127.0.0.1")
            self._client.timeout = TIMEOUTS[Under.PATIENTLY]
            self._client.connect(*address_of(self._loopback.listener))
            self._client.timeout = 0
            self._peer.expect_connection()
        return self._client

    def _address(self) -> tuple[str, int]:
        return self._client.get_sock_name()


class ScriptedFile(io.RawIOBase):
    """A file whose next call does what set() chose."""

    def __init__(self) -> None:
        super().__init__()
        self.does = FileDoes()
        self._data = b""

    def set(self, does: FileDoes) -> None:
        """Choose what the next calls do."""
        self.does, self._data = does, does.data

    def read1(self, size: int) -> bytes | None:
        """Give the data, once."""
        if self.does.trouble:
            given: bytes | None = TROUBLE[self.does.trouble]()
            return given
        data, self._data = self._data, b""
        return data

    def write(self, data: Any, /) -> int | None:
        """Take everything."""
        if self.does.trouble and self.does.trouble != "eof":
            taken: int | None = TROUBLE[self.does.trouble]()
            return taken
        return len(data)

    def seekable(self) -> bool:
        """It can seek, and may fail to."""
        return True

    def tell(self) -> int:
        """The position, which is always the beginning."""
        return 0

    def seek(self, *arguments: Any) -> int:
        """Move to any position; return the length of the file."""
        if self.does.trouble == "failed":
            TROUBLE["failed"]()
        return self.does.length


def _raising(error: Callable[[], BaseException]) -> Callable[[], Any]:
    def trouble() -> Any:
        raise error()

    return trouble


TROUBLE: dict[str, Callable[[], Any]] = {
    "pending": lambda: None,
    "timed_out": _raising(lambda: TimeoutError("timed out")),
    "broken": _raising(lambda: system_error(errno.ECONNRESET)),
    "failed": _raising(lambda: system_error(errno.EIO)),
    "eof": lambda: b"",
}
"""what the file does in order that a call which needs it has this outcome"""


class ArchiveStage(ReportingStage):
    """An archive over a scripted file."""

    role = ARCHIVE

    def __init__(self, kind: type[Any], engine: str | None, trace: OutcomeTrace) -> None:
        super().__init__(trace)
        self._kind = kind
        self._engine = engine
        self._file = ScriptedFile()
        self._lost_in: str | None = None
        self.subject = kind.__new__(kind)  # type: ignore[call-overload]  # one that never got a file: the constructor would attach it at once
        Lifecycle.__init__(self.subject, engine=engine)
        self.subject._nested = False

    @property
    def state(self) -> str:
        """The archive's state, also of one whose constructor has failed."""
        return self._lost_in or super().state

    def make(self, provocation: Provocation) -> Any:
        """Make the call while the file does what the provocation says; attach() is the constructor's."""
        does, *arguments = provocation.arguments
        assert isinstance(does, FileDoes)
        self._file.set(does)
        self._lost_in = None
        self._trace.target = None
        try:
            if provocation.call == ATTACH.name and self.subject.facts == NEW:
                self._construct(*arguments)
                return None
            if provocation.call == ATTACH.name:
                arguments = [self._file, *arguments]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UnreadBytesLost)
                return getattr(self.subject, provocation.call)(*arguments)
        finally:
            self._file.set(FileDoes())

    def _construct(self, mode: str) -> None:
        try:
            self.subject = self._kind(self._file, mode, encoding="utf-8", unicode=False, registry=REGISTRY, engine=self._engine)
        except Exception:  # the caller gets it; kept is only the state that it led to
            self._lost_in = self._trace.next_state
            raise

    def act(self, action: str) -> None:
        """A file has no other side."""
        raise AssertionError(f"an archive has no peer that could do {action}")

    def close(self) -> None:
        """Release the file."""
        self.subject.abort()
