"""Many threads on one object: what each of them gets, the state it ends in, and that nothing hangs or is left open."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from loopback import HOST, LONG, Background, connected_pair, datagram_pair, listening, raw_listener, until
from racing import THREADS, frequent_switches, race, tolerant

from lifecycle import Accepted, Client, ClosedDuringCall, Datagram, IllegalCall, Server
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    with frequent_switches():
        yield


@pytest.mark.parametrize("closer", ["close", "shut_down"])
def test_stream_races(closer: str) -> None:
    """64 threads send, receive, ask and end on both ends of a connection: both end closed, and no call hangs."""
    for _ in range(6):
        with connected_pair(timeout=LONG) as (client, accepted):
            calls = []
            for number in range(THREADS):
                end: OsSocket = accepted if number % 2 else client
                match number // 2 % 8:
                    case 0 | 1:
                        calls.append(tolerant(end, "send", bytes(1 << number % 19)))
                    case 2 | 3 | 4:
                        calls.append(tolerant(end, "receive"))
                    case 5:
                        calls.append(tolerant(end, "get_peer_name"))
                    case 6:
                        calls.append(tolerant(end, closer))
                    case _:
                        calls.append(tolerant(end, "io_ctl"))
            running = Background(lambda calls=calls: race(*calls))  # type: ignore[misc]
            if closer == "shut_down":
                until(lambda: {client.state, accepted.state} <= {"ended", "shut", "broken", "send_shut"}, "the end")
                race(client.close, accepted.close)
            running.result()
            assert (client.state, accepted.state) == ("closed", "closed")
            assert (client.fileno(), accepted.fileno()) == (-1, -1)
            assert not client.is_blocking
            assert not accepted.is_blocking


def test_bytes_are_neither_lost_nor_doubled() -> None:
    """What 32 threads send on one connection, 32 threads receive, each byte once."""
    each, senders = 150, THREADS // 2
    with connected_pair(timeout=LONG) as (client, accepted):
        received: list[bytes] = []

        def send(number: int) -> None:
            for _ in range(each):
                assert client.send(bytes([number])) == 1

        def receive() -> None:
            while data := accepted.receive(97):
                received.append(data)

        sending = [lambda number=number: send(number) for number in range(senders)]
        receiving = Background(lambda: race(*[receive] * senders))
        race(*sending)
        client.shut_down()
        receiving.result()
        assert Counter(b"".join(received)) == dict.fromkeys(range(senders), each)
        assert (client.state, accepted.state) == ("send_shut", "peer_closed")


def test_one_server_many_accepting_threads() -> None:
    """Each connection is accepted once, by one of 32 threads; when the server is closed, all of them end."""
    clients = THREADS // 2
    taken: list[Any] = []
    with listening(timeout=LONG) as server, ExitStack() as stack:
        address = server.get_sock_name()

        def accept() -> str:
            while True:
                try:
                    taken.append(stack.enter_context(server.accept()).get_peer_name())
                except IllegalCall as refusal:
                    return type(refusal).__name__

        def connect() -> Any:
            client = stack.enter_context(Client(timeout=LONG))
            client.create(0, HOST)
            client.connect(*address)
            return client.get_sock_name()

        accepting = [Background(accept) for _ in range(clients)]
        names = race(*[connect] * clients)
        until(lambda: len(taken) == clients, "every connection accepted")
        until(lambda: len(server._waits) == clients, "every thread waiting")
        server.close()
        assert {each.result() for each in accepting} == {"ClosedDuringCall"}
        assert sorted(taken) == sorted(names)


def test_datagram_races() -> None:
    """Messages that 16 threads send arrive once each at 48 receiving threads; a close ends those that got none."""
    for _ in range(5):
        with datagram_pair(timeout=LONG) as (one, other):
            there = one.get_sock_name()
            received: list[bytes] = []

            def receive(sock: Datagram = one, received: list[bytes] = received) -> str:
                try:
                    received.append(sock.receive_from()[0])
                except IllegalCall as refusal:
                    return type(refusal).__name__
                return "received"

            receiving = Background(lambda receive=receive: race(*[receive] * 48))  # type: ignore[misc]
            sending = [lambda n=n, other=other, there=there: other.send_to(b"%d" % n, *there) for n in range(16)]
            race(*sending)
            until(lambda received=received: len(received) == 16, "every message received")  # type: ignore[misc]
            one.close()
            ended = Counter(receiving.result())
            assert ended["received"] == 16
            assert ended["ClosedDuringCall"] + ended["IllegalCall"] == 32
            assert sorted(received) == sorted(b"%d" % n for n in range(16))
            assert one.state == "closed"


@pytest.mark.parametrize("closer", ["close", "detach"])
def test_datagram_ends_races(closer: str) -> None:
    """Receives, sends, each way to shut down, connect and disconnect at once: nothing hangs, and the object ends closed."""
    for _ in range(4):
        with datagram_pair(timeout=LONG) as (one, other):
            there = other.get_sock_name()
            one.connect(*there)
            calls = [tolerant(one, "shut_down", how) for how in ("sends", "receives", "both") for _ in range(4)]
            calls += [tolerant(one, "receive_from"), tolerant(one, "receive"), tolerant(one, "send", b"x")] * 8
            calls += [tolerant(one, "connect", *there), tolerant(one, "disconnect")] * 6
            running = Background(lambda calls=calls: race(*calls))  # type: ignore[misc]
            until(lambda: not one.is_blocking or "shut" in one.state, "the first of them")
            descriptor = getattr(one, closer)()
            if descriptor is not None:
                socket.close(descriptor)
            running.result()
            assert (one.state, one.fileno(), one.is_blocking) == ("closed", -1, False)


def test_a_descriptor_used_again_is_not_touched() -> None:
    """A call that was blocked on a closed object takes nothing from the next object that gets its descriptor."""
    with raw_listener() as listener:
        for _ in range(40):
            with Client(timeout=LONG) as old, Client(timeout=LONG) as new, ExitStack() as stack:
                for client in (old, new):
                    client.open()
                old.connect(*listener.getsockname())
                stack.enter_context(listener.accept()[0])
                receiving = [Background(old.receive) for _ in range(4)]
                until(lambda old=old: len(old._waits) == 4)  # type: ignore[misc]
                new.close()
                number = old.fileno()
                old.close()
                with Client(timeout=LONG) as heir:
                    heir.open()
                    assert heir.fileno() <= number
                    heir.connect(*listener.getsockname())
                    peer = stack.enter_context(listener.accept()[0])
                    peer.sendall(b"inheritance")
                    assert heir.receive() == b"inheritance"
                for each in receiving:
                    with pytest.raises(ClosedDuringCall):
                        each.result()


@contextmanager
def opened(kind: type[Server] | type[Client] | type[Datagram]) -> Iterator[Any]:
    with kind(timeout=LONG) as sock:
        sock.open()
        yield sock


@pytest.mark.parametrize("kind", [Server, Client, Datagram])
@pytest.mark.parametrize("call", ["create", "open", "bind"])
def test_one_of_many_gets_the_socket(kind: type[Server] | type[Client] | type[Datagram], call: str) -> None:
    """Of 16 threads that create, open or bind one object, one succeeds; the others are refused and change nothing."""
    for _ in range(12):
        with opened(kind) if call == "bind" else kind() as sock:
            arguments = () if call == "open" else (0, HOST)
            results = race(*[tolerant(sock, call, *arguments)] * 16)
            assert Counter(results)["done"] == 1
            assert set(results) <= {"done", "IllegalCall", "CallInProgress"}
            assert sock.state == ("open" if call == "open" else "bound")
            assert sock.fileno() >= 0


def test_one_of_many_connects() -> None:
    """Of 16 threads that connect one client, one succeeds, and the listener gets one connection."""
    with raw_listener() as listener:
        for _ in range(12):
            with Client(timeout=LONG) as client:
                client.create(0, HOST)
                results = Counter(race(*[tolerant(client, "connect", *listener.getsockname())] * 16))
                assert results.pop("done") == 1
                assert set(results) <= {"IllegalCall", "CallInProgress"}
                peer, name = listener.accept()
                with peer:
                    assert client.get_sock_name() == name[:2]
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_many_listen() -> None:
    """Listening again is legal, so of 16 threads that listen each succeeds or finds another one at it."""
    for _ in range(12):
        with Server() as server:
            server.create(0, HOST)
            results = race(*[tolerant(server, "listen")] * 16)
            assert set(results) <= {"done", "CallInProgress"}
            assert "done" in results
            assert server.state == "listening"


def test_two_accepts_into_one_target() -> None:
    """Of two threads that accept into the same object one wins; the other is refused and takes nothing from the queue."""
    for _ in range(20):
        with listening(timeout=LONG) as server, Accepted() as target, ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(socket.create_connection(server.get_sock_name(), LONG))
            results = race(*[tolerant(server, "accept", target)] * 2)
            assert Counter(results)["done"] == 1
            assert set(results) <= {"done", "IllegalCall", "CallInProgress"}
            assert (server.state, target.state) == ("listening", "connected")
            with server.accept() as second:
                assert second.state == "connected"


def test_target_closed_while_accept_waits() -> None:
    """When the target of a waiting accept is closed, the accept ends, and the next connection is for the next accept."""
    for _ in range(10):
        with listening(timeout=LONG) as server, Accepted() as target:
            waiting = Background(lambda server=server, target=target: server.accept(target))  # type: ignore[misc]
            until(lambda server=server: server.is_blocking)  # type: ignore[misc]
            target.close()
            with pytest.raises(ClosedDuringCall):
                waiting.result()
            assert (server.state, target.state, target.fileno()) == ("listening", "closed", -1)
            with socket.create_connection(server.get_sock_name(), LONG), server.accept() as accepted:
                assert accepted.state == "connected"


def test_target_closed_as_the_connection_comes() -> None:
    """Whichever comes first, the close of the target or its connection, the target ends closed without a descriptor."""
    for _ in range(40):
        with listening(timeout=LONG) as server, Accepted() as target:
            with socket.create_connection(server.get_sock_name(), LONG):
                race(tolerant(server, "accept", target), target.close)
            assert (server.state, target.state, target.fileno()) == ("listening", "closed", -1)
