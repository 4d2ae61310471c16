"""A real MFC program and lifecycle talk over loopback TCP: both serve, both send, with one archive or one for each message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from lifecycle import Archive, Client, Server, SocketFile

from .agent import Agent
from .checks import Report
from .reading import READ, Reading, current
from .sequences import Maker, Sequence
from .storing import WRITTEN

HERE, LOAD_THERE, STORE_THERE = "127.0.0.1", 1, 2
SECONDS = 10.0
LOADS, STORES = 1, 0  # CArchive's modes


@contextmanager
def connection(agent: Agent, *, mfc_serves: bool) -> Iterator[SocketFile]:
    """A connected pair: the CSocketFile is file 1 of the agent, and lifecycle's is yielded."""
    agent.expect("ok", "new 1 s")
    agent.expect("ok", "new 2 s")
    if mfc_serves:
        agent.expect("1", f"call 1 create 0 1 63 {HERE}")
        agent.expect("1", "call 1 listen")
        port = int(agent.expect("1", "call 1 getsockname").split()[0].split(":")[-1])
        with Client(timeout=SECONDS) as client:
            client.create()
            client.connect(HERE, port)
            agent.expect("1", "call 1 accept 2")
            agent.expect("ok", "file 1 2")
            with SocketFile(client) as file:
                yield file
    else:
        with Server(timeout=SECONDS) as server:
            server.create(0, HERE)
            server.listen()
            agent.expect("1", "call 1 create")
            agent.expect("1", f"call 1 connect {HERE} {server.local_address[1]}")
            agent.expect("ok", "file 1 1")
            with server.accept() as accepted, SocketFile(accepted) as file:
                accepted.timeout = SECONDS
                yield file
    agent.expect("void", "fcall 1 delete")
    for number in (1, 2):
        agent.expect("void", f"call {number} delete")


def open_there(agent: Agent, number: int, mode: int) -> None:
    """An archive of the agent over its file."""
    agent.expect("ok", f"arc {number} 1 {mode}")


def close_there(agent: Agent, number: int) -> None:
    """Close an archive of the agent, and drop it."""
    agent.expect("ok", f"aclose {number}")
    agent.expect("ok", f"adelete {number}")


def put_there(agent: Agent, sequence: Sequence) -> None:
    """MFC stores a sequence; what is in its buffer is not sent yet."""
    for line in sequence.setup:
        agent.expect("ok", line)
    agent.expect("ok", f"put {STORE_THERE} {' '.join(sequence.store)}")


def values(text: str) -> str:
    """What was loaded, without numbers of objects: each side counts those that it has shown."""
    return re.sub(r"[#@]\d+", "#", text.split(" err=", maxsplit=1)[0]).replace(" ok", "").strip()


def options(maker: Maker) -> dict[str, Any]:
    """Options of the archives here; the sequences have counts that nothing follows."""
    return {"unicode": maker.unicode, "depth": 10_000, "limit": 1 << 40}


def one_archive(agent: Agent, file: SocketFile, maker: Maker, messages: int, report: Report) -> None:
    """Messages in both directions over one pair of archives on each side."""
    open_there(agent, LOAD_THERE, LOADS)
    open_there(agent, STORE_THERE, STORES)
    loading, storing = (
        Archive(file, "load", registry=READ, **options(maker)),
        Archive(file, "store", registry=WRITTEN, **options(maker)),
    )
    for _ in range(messages):
        sequence = maker.sequence()
        put_there(agent, sequence)
        agent.expect("ok", f"flush {STORE_THERE}")
        compare(agent, sequence, loading, storing, report)
    close_there(agent, STORE_THERE)
    agent.expect("ok", f"adelete {LOAD_THERE}")
    loading.close()
    storing.close()


def archive_each(agent: Agent, file: SocketFile, maker: Maker, messages: int, report: Report) -> None:
    """An archive for each message on each side; MFC sends them all before the first is loaded."""
    sequences = [maker.sequence() for _ in range(messages)]
    for sequence in sequences:
        open_there(agent, STORE_THERE, STORES)
        put_there(agent, sequence)
        close_there(agent, STORE_THERE)
    for sequence in sequences:
        open_there(agent, LOAD_THERE, LOADS)
        with (
            Archive(file, "load", registry=READ, **options(maker)) as loading,
            Archive(file, "store", registry=WRITTEN, **options(maker)) as storing,
        ):
            compare(agent, sequence, loading, storing, report)
        close_there(agent, LOAD_THERE)


def compare(agent: Agent, sequence: Sequence, loading: Archive, storing: Archive, report: Report) -> None:
    """Load here what MFC stored, store the same here, and have MFC load it."""
    tokens = " ".join(sequence.load)
    for step in sequence.steps:
        step(storing)
    storing.flush()
    current.append(Reading(agent.runtime.unicode))
    try:
        here = current[-1].run(loading, tokens)
    finally:
        current.pop()
    there = agent.ask(f"get {LOAD_THERE} {tokens}")
    report.compared += 2
    if values(here) != values(there):
        report.differ(None, f"{sequence.setup} {sequence.store}: {here[:300]} here, {there[:300]} there")


def check_exchange(agent: Agent, connections: int, seed: int) -> Report:
    """Connections in both roles, with one archive and with one for each message, by turns."""
    report = Report("messages over TCP")
    agent.expect("1", "init")
    agent.expect("ok", "patience 5000")
    random = Random(seed)
    maker = Maker(random, agent.runtime.unicode)
    for number in range(connections):
        talk = one_archive if number % 4 < 2 else archive_each
        with connection(agent, mfc_serves=number % 2 == 0) as file:
            talk(agent, file, maker, random.randrange(1, 5), report)
    return report
