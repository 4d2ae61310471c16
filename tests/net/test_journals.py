"""Journals of single objects, and payloads, which no record shows unless it is asked for."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from loopback import HOST, LONG, accepted_and_raw_peer

from lifecycle import Client, Datagram, IllegalCall, Journal, Server, aio
from lifecycle.conformance.adapters.certificates import CAN_BE_MADE, context_of
from lifecycle.conformance.adapters.tls_end import TlsEnd
from lifecycle.engine import Observer, Record
from lifecycle.engine.journal import OBSERVERS

SECRET = b"correct horse battery"


def texts(journal: Journal) -> str:
    """Everything that a journal holds."""
    return "\n".join(journal.lines())


def test_what_is_no_journal_is_refused_at_once() -> None:
    """TypeError when the object is made, and not by its first call."""
    with pytest.raises(TypeError, match=r"began\(\) and ended\(\), not True"):
        Client(journal=True)  # type: ignore[arg-type]


def test_an_object_records_its_own_calls() -> None:
    """Client(journal=) and its like record what happens to that object, refusals too; nobody else is observed."""
    journal = Journal(limit=100)
    with Server(timeout=LONG, journal=journal) as server, Client(timeout=LONG) as client:
        server.create(0, HOST)
        server.listen()
        client.create()
        client.connect(*server.local_address)
        assert OBSERVERS.present == ()
        with server.accept() as accepted, pytest.raises(IllegalCall):
            accepted.connect(HOST, 9)
    calls = [(record.subject, record.call, record.outcome) for record in journal.records]
    assert calls == [
        ("Server#1", "create", "ok"), ("Server#1", "listen", "ok"), ("Server#1", "accept", "ok"),
        ("Accepted#1", "accepted", "ok"), ("Accepted#1", "connect", "illegal"), ("Accepted#1", "close", "ok"),
        ("Server#1", "close", "ok"),
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_call_is_recorded_once(engine: str) -> None:
    """A journal that is an object's own and observes everything has each call once; other objects keep the fast path."""
    with Journal() as journal, Datagram(engine=engine, journal=journal) as datagram:
        datagram.open()
    assert [record.call for record in journal.records] == ["open", "close"]
    with Datagram(engine=engine) as other:
        other.open()
    assert len(journal.records) == 2


def test_names_do_not_pile_up() -> None:
    """A journal that lives long keeps its limit of records, and nothing of objects that are gone."""
    journal = Journal(limit=3)
    for _ in range(20):
        with Datagram(journal=journal) as datagram:
            datagram.open()
    del datagram
    gc.collect()
    assert len(journal.records) == 3
    assert journal._names == {}


def test_payloads_are_lengths() -> None:
    """What is sent and received is recorded as its length; Journal(payloads=True) shows the begin of what is sent."""
    with Journal() as journal, Journal(payloads=True) as asked:
        one, other = Client.socketpair(timeout=LONG)
        with one, other:
            one.send(SECRET)
            assert other.receive(9, timeout=1) == SECRET[:9]
            one.send(data=SECRET, flags=0)
            one.send_to(SECRET, HOST, 9)
            one.send_handles(SECRET, [])
            other.receive_from()
    found = [(record.call, record.arguments, record.result) for record in journal.records]
    assert found[2:6] == [
        ("send", "<21 bytes>", ""),
        ("receive", "9, 0, 1", "<9 bytes>"),
        ("send", "<21 bytes>", ""),
        ("send_to", f"<21 bytes>, {HOST!r}, 9", ""),
    ]
    assert found[6][1] == "<21 bytes>, []"
    assert found[7][2].startswith("(<")
    assert "correct" not in texts(journal)
    assert "b'correct horse battery'" in texts(asked)
    assert [record.outcome for record in asked.records] == [record.outcome for record in journal.records]


@pytest.mark.skipif(not CAN_BE_MADE, reason="certificates cannot be made here")
def test_over_tls_never() -> None:
    """Over TLS, and of start_tls(received=), payloads are lengths for every journal."""
    with Journal(payloads=True) as journal, accepted_and_raw_peer(timeout=LONG) as (accepted, peer):
        peer.setblocking(False)
        tls = TlsEnd(peer, context_of(False), server_side=False)
        try:
            tls.begin()
            accepted.start_tls(context_of(True), received=bytearray())
            tls.finish()
            accepted.send(SECRET)
        finally:
            tls.stop()
    assert "received=<0 bytes>" in texts(journal)
    assert "<21 bytes>" in texts(journal)
    assert "correct" not in texts(journal)


def test_a_hook_is_told_of_one_object() -> None:
    """Whatever has began() and ended() can be the journal, of awaited objects too; serve() hands a server's on."""

    class Hook:
        def __init__(self) -> None:
            self.told: list[tuple[str, str, str | None]] = []

        def began(self, record: Record, target: object) -> None:
            self.told.append(("began", record.call, record.outcome))

        def ended(self, record: Record, target: object) -> None:
            self.told.append(("ended", record.call, record.outcome))

    import anyio

    hook: Observer = Hook()

    async def main() -> None:
        async with aio.Server(journal=hook) as server:
            await server.create(0, HOST)
            server.listen()

            async def handle(accepted: Any) -> None:
                assert await accepted.receive() == SECRET
                server.close()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.serve, handle)
                async with aio.Client() as client:
                    await client.create()
                    await client.connect(*server.local_address)
                    await client.send(SECRET)

    anyio.run(main)
    assert hook.told[:2] == [("began", "create", None), ("ended", "create", "ok")]
    assert ("ended", "receive", "ok") in hook.told
    assert ("ended", "send", "ok") not in hook.told
