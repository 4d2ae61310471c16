"""Long random sequences of calls, legal and illegal: both engines and the system's sockets agree."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from delivery import delivering
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel import assert_tcp_agrees, snapshot
from long_form import part
from loopback import HOST, LONG, listening, reset
from states import DATA_PHASE, SOCKET_ROLES, STATES, TLS_PHASE, world

from lifecycle import IllegalCall, Journal
from lifecycle.conformance.adapters.certificates import context_of
from lifecycle.conformance.adapters.tls_end import TlsEnd
from lifecycle.engine import Role
from lifecycle.roles.facts import Tls

LENGTH = 24

reached: Counter[tuple[str, str, str, str]] = Counter()
walked: set[tuple[str, str]] = set()

TLS_ACTIONS = ("peer_shakes_hands", "peer_refuses_tls", "peer_cuts")

PEER_ACTIONS = ("peer_sends", "peer_ends", "peer_resets", "peer_connects", "new_object")

HANDSHAKE = ("peer_shakes_hands", "finish_tls")
"""What brings a handshake to its end: no call of a walk waits, so that it takes both sides several steps"""

ARGUMENTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "create": st.just((0, HOST)),
    "open": st.just(()),
    "bind": st.just((0, HOST)),
    "listen": st.just(()),
    "accept": st.just(()),
    "connect": st.sampled_from([(HOST, "listener"), (HOST, "nobody")]),
    "finish_connect": st.just(()),
    "disconnect": st.just(()),
    "send": st.tuples(st.binary(max_size=40)),
    "receive": st.tuples(st.sampled_from([0, 1, 64, 65536])),
    "send_to": st.tuples(st.binary(max_size=40), st.just(HOST), st.just("peer")),
    "receive_from": st.tuples(st.sampled_from([1, 65536])),
    "send_handles": st.tuples(st.binary(max_size=40), st.just(())),
    "receive_handles": st.just(()),
    "shut_down": st.tuples(st.sampled_from(["sends", "receives", "both", 0, 1, 2])),
    "get_sock_name": st.just(()),
    "get_peer_name": st.just(()),
    "set_option": st.sampled_from([(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192), (socket.SOL_SOCKET, 9999, 1)]),
    "get_option": st.sampled_from([(socket.SO_TYPE,), (9999,)]),
    "io_ctl": st.just(()),
    "attach": st.just(("raw",)),
    "detach": st.just(()),
    "start_tls": st.sampled_from([("context",), ("context",), ("context",), ("context of the other side",)]),
    "finish_tls": st.just(()),
    "stop_tls": st.just(()),
    "get_tls": st.just(()),
    "close": st.just(()),
}


def choices(subject: Any) -> list[str]:
    """What a walk may do next: anything, but rather what leads on; a walk that has ended begins again."""
    if subject.state in subject.role.final:
        return [*subject.legal, "send", "receive", "create", *(["new_object"] * 4)]
    leads_on = [call for call in subject.legal if call not in ("close", "detach")]
    everything = [call.name for call in subject.role.calls if call.fired_by is None]
    tls = subject.role.state(subject.state).facts.tls
    handshake = list(HANDSHAKE) * 20 if tls is Tls.HANDSHAKE else []
    return leads_on * 4 + everything + list(PEER_ACTIONS) + handshake + (list(TLS_ACTIONS) if tls is not Tls.NO else [])


def take_all(peer: socket.socket) -> None:
    """Take everything that has arrived to a peer, so that what comes next is the first that it sees."""
    peer.setblocking(False)
    with suppress(BlockingIOError):
        while peer.recv(65536):
            pass


def end_tls(tls: TlsEnd) -> None:
    """Send close_notify, after all that has arrived was taken: OpenSSL does not end TLS over unread data."""
    with suppress(TimeoutError):
        while tls.receive():
            pass
    tls.end()


class Walk:
    """One object under one engine, beginning in some state, and its peers."""

    def __init__(self, role: Role, engine: str, state: str, stack: ExitStack) -> None:
        self.peer: socket.socket | None = None
        self.tls: TlsEnd | None = None
        self.role = role
        self.engine = engine
        self.stack = stack
        self.deliver = stack.enter_context(delivering())
        self.listener = stack.enter_context(socket.create_server((HOST, 0)))
        self.listener.settimeout(0)
        self.datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.datagrams.bind((HOST, 0))
        stack.callback(self._drop_peer)
        self._begin(state)

    def _begin(self, state: str) -> None:
        world_now = self.stack.enter_context(world(self.role, state, self.engine))
        self.subject: Any = world_now.subject
        self.subject.timeout = 0
        self.peer = world_now.peer if state in DATA_PHASE + TLS_PHASE else None
        self.tls = world_now.tls
        if self.tls is not None:
            self.tls.patience = 0
        self.deliver()

    def new_object(self) -> None:
        """Begin again with an empty object, whose predecessor is closed."""
        self.subject.close()
        self._drop_peer()
        self._begin("empty")

    def step(self, name: str, arguments: tuple[Any, ...]) -> object:
        """Make one step; what it gave, in a form that can be compared with the other engine's."""
        if name in PEER_ACTIONS + TLS_ACTIONS:
            getattr(self, name)()
            self.deliver()
            return None
        if name == "start_tls" and self._is_plain():
            self._try(take_all)  # the handshake is the next that comes
            self.deliver()
        before = snapshot(self.subject)
        try:
            value = getattr(self.subject, name)(*(self._real(argument) for argument in arguments))
        except IllegalCall as error:
            assert snapshot(self.subject) == before, "a refusal has changed something"
            assert name not in self.subject.legal
            return ("illegal", error.legal, error.remedy)
        except (OSError, ValueError) as error:  # ValueError: attach() of a handle in a state that the role does not have
            self.deliver()
            return ("error", type(error).__name__, getattr(error, "errno", None))
        self.deliver()
        self._collect_connection()
        if self.tls is not None and self._is_plain():
            self.tls = None
            self._try(take_all)
        return ("value", self._comparable(name, value))

    def peer_sends(self) -> None:
        """The other side sends something."""
        if self.role.name == "datagram":
            address = self.subject.local_address
            if address is not None:
                self.datagrams.sendto(b"from the peer", address)
        elif self.tls is None:
            self._try(lambda peer: peer.send(b"from the peer"))
        elif not self.tls.has_ended:
            self._try(lambda _: self._over_tls(lambda tls: tls.send(b"from the peer")))

    def peer_ends(self) -> None:
        """The other side ends its stream: with close_notify where TLS is up."""
        if self.tls is None:
            self.peer_cuts()
        elif not self.tls.has_ended:
            self._try(lambda _: self._over_tls(end_tls))

    def peer_cuts(self) -> None:
        """The other side ends TCP's stream, and with it TLS without close_notify."""
        self._try(lambda peer: peer.shutdown(socket.SHUT_WR))

    def peer_shakes_hands(self) -> None:
        """The other side makes its half of the handshake, as far as what has arrived allows."""
        self._shake_hands("trusted")

    def peer_refuses_tls(self) -> None:
        """The other side begins its half with a certificate, or an authority, that the object's side does not match."""
        self._shake_hands("stranger")

    def _shake_hands(self, authority: str) -> None:
        if self.peer is None or self._is_plain():
            return
        if self.tls is None:
            self.peer.setblocking(False)
            server_side = not self._is_tls_server()
            self.tls = TlsEnd(self.peer, context_of(server_side, authority=authority), server_side=server_side, patience=0)
        self._try(lambda _: self._over_tls(lambda _: None))

    def _over_tls(self, action: Callable[[TlsEnd], object]) -> None:
        """Do something over the other side's TLS, when its handshake is over."""
        if self.tls is not None and self.tls.go_on():
            action(self.tls)

    def _is_plain(self) -> bool:
        return bool(self.role.state(self.subject.state).facts.is_plain)

    def _is_tls_server(self) -> bool:
        return self.role.name == "accepted"

    def peer_resets(self) -> None:
        """The other side resets the connection."""
        self._try(reset)
        self.peer = self.tls = None

    def peer_connects(self) -> None:
        """Somebody connects to a server, or to one that accepts into the object."""
        if self.subject.state == "listening" and self.peer is None:
            self.peer = socket.create_connection(self.subject.get_sock_name())
        elif self.role.name == "accepted" and self.subject.state == "empty":
            with listening(timeout=LONG, engine=self.engine) as server:
                self.peer = socket.create_connection(server.get_sock_name())
                server.accept(self.subject)
            self.subject.timeout = 0

    def _try(self, action: Any) -> None:
        if self.peer is not None:
            try:
                action(self.peer)
            except OSError:
                self._drop_peer()

    def _drop_peer(self) -> None:
        self.tls = None
        if self.peer is not None:
            self.peer.close()
            self.peer = None

    def _collect_connection(self) -> None:
        try:
            peer, _ = self.listener.accept()
        except BlockingIOError:
            return
        self._drop_peer()
        self.peer = peer

    def _real(self, argument: object) -> object:
        match argument:
            case "listener":
                return self.datagrams.getsockname()[1] if self.role.name == "datagram" else self.listener.getsockname()[1]
            case "peer":
                return self.datagrams.getsockname()[1]
            case "context":
                return context_of(self._is_tls_server())
            case "context of the other side":
                return context_of(not self._is_tls_server())
            case "nobody":
                return 1
            case "raw":
                handle = self.stack.enter_context(socket.socket(socket.AF_INET, self.subject._kind))
                handle.bind((HOST, 0))
                return handle
        return argument

    def _comparable(self, name: str, value: Any) -> object:
        if name == "accept":
            with value:
                self._drop_peer()
                return value.state
        if name == "detach":
            os.close(value)
            return "descriptor"
        if name == "receive_from":
            return value[0]
        return None if name in ("get_sock_name", "get_peer_name", "get_option") else value


@pytest.mark.parametrize(("name", "state"), [(name, state) for name, states in STATES.items() for state in states])
def test_engines_and_kernel_agree_on_long_walks(name: str, state: str) -> None:
    """Whatever is called in whatever order, both engines give the same, refusals change nothing, and the kernel agrees."""
    role = SOCKET_ROLES[name]
    walked.add((name, state))

    @settings(max_examples=part(10, 2), suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(1, LENGTH), st.data())
    def walks(length: int, data: st.DataObject) -> None:
        with ExitStack() as stack:
            compiled, reference = (Walk(role, engine, state, stack) for engine in ("compiled", "reference"))
            for _ in range(length):
                step = data.draw(st.sampled_from(choices(compiled.subject)))
                arguments = data.draw(ARGUMENTS.get(step, st.just(())))
                with Journal(compiled.subject) as journal:
                    mine = compiled.step(step, arguments)
                theirs = reference.step(step, arguments)
                assert mine == theirs, step
                assert compiled.subject.state == reference.subject.state, step
                assert compiled.subject.legal == reference.subject.legal
                assert_tcp_agrees(compiled.subject)
                for cell in journal.cells():
                    reached[cell] += 1

    walks()


def test_walks_tell_the_cells_they_reached(capsys: pytest.CaptureFixture[str]) -> None:
    """The walks print how many rows of each table they reached, and every state of every role is among them."""
    if not reached:
        pytest.skip("the walks did not run in this session")
    with capsys.disabled():
        for role in SOCKET_ROLES.values():
            cells = {(role.name, state, call, outcome) for state, call, outcome, _ in role.cells()}
            print(f"\nwalks reached {len(cells & set(reached))} of {len(cells)} rows of {role.name}", end="")
    for role in SOCKET_ROLES.values():
        if not walked.issuperset((role.name, state) for state in STATES[role.name]):
            continue  # some walks ran in another process
        missing = {state.name for state in role.states} - {state for name, state, _, _ in reached if name == role.name}
        assert not missing, f"no walk called anything of {role.name} in {missing}"
