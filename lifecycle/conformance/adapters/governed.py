"""The adapter of classes with a role: this package's sockets, under either engine."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from lifecycle import roles
from lifecycle.archive import Archive, SocketFile
from lifecycle.archive.file import _Governed as GovernedFile
from lifecycle.conformance.adapters.archives import ArchiveStage, FileStage
from lifecycle.conformance.adapters.certificates import CAN_BE_MADE
from lifecycle.conformance.adapters.effects import READABLE, await_one
from lifecycle.conformance.adapters.loopback import ARRIVES, CAN_BE_SCARCE, HOST, PATIENCE, Loopback
from lifecycle.conformance.adapters.objects import OutcomeTrace
from lifecycle.conformance.adapters.outcomes import ANY_ERROR
from lifecycle.conformance.adapters.peers import StreamPeer
from lifecycle.conformance.adapters.protocol import Answer, compared
from lifecycle.conformance.adapters.session import REFUSED, TIMEOUTS, TLS_ACTIONS, AtPath, LoopbackStage
from lifecycle.conformance.adapters.setup_states import begin_connect
from lifecycle.conformance.model.environment import Environment, Facts, Provocation, Under
from lifecycle.conformance.model.environments import ENVIRONMENTS, PLAIN_ENVIRONMENTS
from lifecycle.conformance.model.local_environments import LOCAL_ENVIRONMENTS
from lifecycle.engine import IllegalCall, Role
from lifecycle.net.blocking.client import Client
from lifecycle.net.blocking.datagram import Datagram
from lifecycle.net.blocking.server import Accepted, Server
from lifecycle.net.operations.securing import SecureLayer
from lifecycle.roles import tls
from lifecycle.roles.words import ACCEPTED, ATTACH, DETACH, OPEN_, RECEIVE, SOCKET_FILE, START_TLS, STOP_TLS
from lifecycle.system.local_sockets import LOCAL_FAMILY

CLASSES: Mapping[str, type[Any]] = {
    kind.role.name: kind for kind in (Server, Client, Accepted, Datagram, GovernedFile, Archive)
}
"""role -> the package's class"""

TLS_NAMES = frozenset(tls.CALLS.split())

WITH_CONSEQUENCES = frozenset({ATTACH.name, STOP_TLS.name})
"""calls after which the object or its peer is looked at"""

READ_AHEAD = 65536
"""more bytes than have arrived: a file that needs all of them buffers those that have"""

REPORTING = (roles.SOCKET_FILE.name, roles.ARCHIVE.name)
"""roles whose objects report their own outcomes: they are always observed"""


class Cancelling:
    """A mixin for a class of sockets: acts when a call is about to wait, and cancels the call while `cancels` is set."""

    cancels = False
    meanwhile: Callable[[], object] | None = None

    def on_message_pending(self) -> None:
        """Called by the object when it begins to wait."""
        if self.meanwhile is not None:
            self.meanwhile()
        if self.cancels:
            self.cancel_blocking_call()  # type: ignore[attr-defined]


def _cancellable(kind: type[Any]) -> type[Any]:
    made = _cancellables.get(kind)
    if made is None:
        made = _cancellables[kind] = type(kind.__name__, (Cancelling, kind), {})
    return made


_cancellables: WeakKeyDictionary[type[Any], type[Any]] = WeakKeyDictionary()


class Host:
    """A server that accepts into one object after the other. A connection into an object that refuses it waits for the next."""

    def __init__(self, loopback: Loopback) -> None:
        self._loopback = loopback
        self._server: Server | None = None
        self._address: Any = None
        self._caller: Any = None

    def accept(self, stage: GovernedStage) -> Any:
        """Accept a connection into the object of the stage; the other end."""
        server = self._server
        if server is None:
            server = self._server = Server(timeout=PATIENCE)
            server.create(**stage.where_to_listen())
            server.listen()
            address = server.get_sock_name()
            self._address = address.path or address
        if self._caller is None or not await_one(server.fileno(), READABLE, seconds=0):
            self._caller = self._loopback.new(socket.SOCK_STREAM)
            begin_connect(self._caller, self._address)
        server.accept(stage.subject)
        caller, self._caller = self._caller, None
        return caller

    def close(self) -> None:
        """Close the server, and the connection that waits."""
        for thing in (self._caller, self._server):
            if thing is not None:
                thing.close()


class GovernedStage(LoopbackStage):
    """A governed socket among its peers.

    host: where it is accepted.

    trace: keeps what the object itself reports; None where that is not looked at.
    """

    drives_peer = True

    def __init__(self, role: str, kind: type[Any], loopback: Loopback, engine: str | None, trace: OutcomeTrace | None) -> None:
        super().__init__(role, loopback)
        self.host: Host
        self.subject = self.begin(kind, engine)
        self._under = Under.AT_ONCE
        self._file: Any = None
        self._trace = trace
        self._is_direct = trace is None and not loopback.is_local and type(self).make is GovernedStage.make
        if trace is not None:
            trace.target = self.subject

    def act(self, action: str) -> None:
        """As in every session; the peer continues while the object waits."""
        super().act(action)
        if self.drives_peer and action in TLS_ACTIONS and isinstance(self.peer, StreamPeer):
            self.subject.meanwhile = self.peer.drive

    def begin(self, kind: type[Any], engine: str | None) -> Any:
        """A new object that does not wait."""
        return kind(timeout=0, engine=engine)

    if TYPE_CHECKING:

        @property
        def state(self) -> str: ...

        @property
        def legal(self) -> tuple[str, ...]: ...

    else:  # read in each step, so without a frame
        state = property(attrgetter("subject.state"))
        legal = property(attrgetter("subject.legal"))

    def call(self, provocation: Provocation) -> Answer:
        """As in every session; in one frame if nothing has to be done around the call."""
        call, under = provocation.call, provocation.under
        if not self._is_direct or call in NOT_DIRECT or under is Under.SCARCE:
            return super().call(provocation)
        is_prepared = under is self._under and not provocation.has_places
        arguments = provocation.arguments if is_prepared else self._prepared(provocation)
        try:
            value = getattr(self.subject, call)(*arguments)
        except ANY_ERROR as error:
            answer = REFUSED if type(error) is IllegalCall else self._failed(call, error)
        else:
            answer = self._returned(call, arguments, -1, value)
        if provocation.has_places:
            self._go_on_after(provocation, answer)
        return answer

    def address(self) -> Any:
        address = self.subject.local_address
        return address.path or address if self.loopback.is_local else address

    def descriptor(self) -> int:
        number: int = self.subject.fileno()
        return number

    def set_circumstances(self, under: Under) -> None:
        """Set the object's time-out, and whether a wait is cancelled."""
        if under is not self._under:
            self._under = under
            self.subject.timeout = TIMEOUTS[under]
            self.subject.cancels = under is Under.CANCELLED

    def make(self, call: str, arguments: tuple[Any, ...]) -> Any:
        """Make the call, or have it fired by the object of the other role."""
        fire = FIRED.get(call)
        if fire is not None:
            return fire(self)
        method, arguments = self.method(call, arguments)
        return method(*arguments)

    def method(self, call: str, arguments: tuple[Any, ...]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The method that makes a call, with its path if there is one, and the other arguments."""
        method = getattr(self.subject, call)
        if not self.loopback.is_local:
            return method, arguments
        if call == OPEN_.name:
            method = partial(method, socket.AddressFamily(LOCAL_FAMILY))
        for each in arguments:
            if isinstance(each, AtPath):
                method = partial(method, path=each.path)
        return method, tuple(each for each in arguments if not isinstance(each, AtPath))

    def be_accepted(self) -> None:
        """A server accepts a connection into the object."""
        self.meet(self.host.accept(self))

    def be_a_file(self) -> None:
        """Make a SocketFile over the object and close it; the object does not change."""
        SocketFile(self.subject, engine=self.subject.engine).close()

    def read_ahead(self) -> None:
        """Have a file over the object buffer the data that has arrived, unread."""
        if self.subject.is_legal(START_TLS.name):
            self.set_circumstances(Under.AT_ONCE)
            self._file = SocketFile(self.subject, archive_compatible=False, engine=self.subject.engine)
            self._file.read(READ_AHEAD)

    def _go_on_after(self, provocation: Provocation, answer: Answer) -> None:
        """As in every session; a file that was made for the call is closed."""
        super()._go_on_after(provocation, answer)
        if self._file is not None:
            self._file.close()
            self._file = None
            if self.subject._held and self.subject.is_legal(RECEIVE.name):
                self.subject.receive(READ_AHEAD)

    def connected_to(self, address: tuple[str, int]) -> Any:
        """A socket that has connected to a server."""
        client = self.loopback.new(socket.SOCK_STREAM)
        self.kept.append(client)
        client.connect_ex(getattr(address, "path", None) or address)
        return client

    def where_to_listen(self) -> dict[str, Any]:
        """The address of the server that accepts into the object."""
        return {"path": self.loopback.fresh_address()} if self.loopback.is_local else {"address": HOST}

    def meet(self, client: Any) -> None:
        """Make `client` the peer."""
        assert isinstance(self.peer, StreamPeer)
        self.peer.replace(client)

    def settle(self, facts: Facts) -> None:
        """As in every session; but the descriptor does not show data that TLS has already taken from the system."""
        if ARRIVES.isdisjoint(facts):
            return
        layer = getattr(self.subject, "_socket", None)
        if isinstance(layer, SecureLayer) and layer.has_come:
            facts -= {"data", "notified"}
        self.loopback.settle(self.subject.fileno(), facts)

    def _answer(self, call: str, arguments: tuple[Any, ...]) -> Answer:
        if self._trace is not None:
            self._trace.reported = None
        elif call not in WITH_CONSEQUENCES:
            return super()._answer(call, arguments)
        has_notified = call == STOP_TLS.name and not self.subject.facts.sends  # else a broken table lets it leave
        answer = super()._answer(call, arguments)
        if has_notified and answer.outcome == "ok" and isinstance(self.peer, StreamPeer):
            self.peer.leave_tls()
        if call == ATTACH.name and answer.outcome == "ok":
            answer = Answer(self.subject.state, answer.value)
        return answer if self._trace is None else answer._replace(reported=self._trace.reported)

    def end(self) -> None:
        """Close the object."""
        self.subject.close()


FIRED: Mapping[str, Callable[[GovernedStage], Any]] = {
    ACCEPTED.name: lambda stage: stage.be_accepted(),
    SOCKET_FILE.name: lambda stage: stage.be_a_file(),
}
"""a call that another object's call fires -> how"""

NOT_DIRECT = WITH_CONSEQUENCES | FIRED.keys() | {DETACH.name}
"""calls around which something has to be done"""


class GovernedAdapter:
    """Classes that are governed by the roles of the package, tested on real sockets.

    classes: role -> class, by default the package's own. engine: which engine runs the objects; None for the default one.
    watched: whether to check the objects' own reports, too. Observed objects take another path through the engine, so a run
    should test both. tls_version: of the peers; the newest by default. local: whether to use Unix-domain sockets instead of IP.
    """

    governed = True

    def __init__(
        self,
        classes: Mapping[str, type[Any]] = CLASSES,
        *,
        name: str = "lifecycle",
        engine: str | None = None,
        watched: bool = False,
        tls_version: ssl.TLSVersion | None = None,
        local: bool = False,
    ) -> None:
        self.name = name
        self.local = local
        self._folder = TemporaryDirectory(prefix="lc") if local else None
        self.tls_version = tls_version
        self.engine = engine
        self._trace = OutcomeTrace()
        self._is_watched = watched
        self._loopback = Loopback(folder=Path(self._folder.name) if self._folder else None)
        self._host = Host(self._loopback)
        self._classes = {role: kind if role in REPORTING else _cancellable(kind) for role, kind in classes.items()}

    def environment(self, role: Role) -> Environment:
        """The environment of one of the package's roles. Raises KeyError for a role without a class."""
        if role.name not in self._classes:
            raise KeyError(role.name)
        if self._folder is not None:
            return LOCAL_ENVIRONMENTS[role.name]
        return (ENVIRONMENTS if CAN_BE_MADE else PLAIN_ENVIRONMENTS)[role.name]

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """Everything that can be provoked on this system; TLS if certificates can be made."""
        if not CAN_BE_MADE and provocation.call in TLS_NAMES:
            return False
        return CAN_BE_SCARCE or provocation.under is not Under.SCARCE

    def stage(self, role: Role) -> GovernedStage | FileStage | ArchiveStage:
        """A new object in its initial state."""
        kind = self._classes[role.name]
        self._trace.turn(self._is_watched or role.name in REPORTING)
        if role.name == roles.SOCKET_FILE.name:
            return FileStage(kind, self._loopback, self.engine, self._trace)
        if role.name == roles.ARCHIVE.name:
            return ArchiveStage(kind, self.engine, self._trace)
        stage = self.socket_stage(role.name, kind, self._trace if self._is_watched else None)
        stage.tls_version, stage.host = self.tls_version, self._host
        return stage

    def socket_stage(self, role: str, kind: type[Any], trace: OutcomeTrace | None) -> GovernedStage:
        """A new socket in its initial state."""
        return GovernedStage(role, kind, self._loopback, self.engine, trace)

    verdict = staticmethod(compared)

    def close(self) -> None:
        """Close what the stages shared."""
        self._trace.turn(False)
        self._host.close()
        self._loopback.close()
        if self._folder is not None:
            self._folder.cleanup()
