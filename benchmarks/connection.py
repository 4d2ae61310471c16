"""The claim: a whole TCP connection costs at most 1.35 times a raw one when it is empty, 1.10 times with 100 round trips."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from benchmarks.claim import Claim, Figure, against_raw
from benchmarks.effort import Effort
from benchmarks.interleaved import Batch, batch_of, interleave, timed_loop
from benchmarks.loopback import listening, raw_listener
from benchmarks.rivals import present, rivals
from lifecycle import Client

MESSAGE = bytes(1024)

RAW = """\
client = new_client()
client.connect(address)
accepted, _ = listener.accept()
for _ in repeat(None, trips):
    client.sendall(message)
    accepted.sendall(accepted.recv(1024))
    client.recv(1024)
client.shutdown(SHUT_WR)
client.close()
accepted.close()
"""

GOVERNED = """\
client = new_client()
client.open()
client.connect(host, port)
accepted = server.accept()
for _ in repeat(None, trips):
    client.send(message)
    accepted.send(accepted.receive(1024))
    client.receive(1024)
client.shut_down()
client.close()
accepted.close()
"""

RIVAL = """\
client = new_stream()
client.open()
client.connect(address)
accepted = new_stream()
accepted.accepted(listener.accept()[0])
for _ in repeat(None, trips):
    client.send(message)
    accepted.send(accepted.receive(1024))
    client.receive(1024)
client.shut_down()
client.close()
accepted.close()
"""


def measure(effort: Effort) -> list[Figure]:
    """The empty connection, and the one with 100 round trips of 1 KiB."""
    return [
        _measure(effort, "empty", trips=0, rounds=400, count=8, limit=1.35),
        _measure(effort, "100 round trips", trips=100, rounds=500, count=1, limit=1.10),
    ]


def _measure(effort: Effort, name: str, *, trips: int, rounds: int, count: int, limit: float) -> Figure:
    everyone = rivals()
    with ExitStack() as stack:
        listener = stack.enter_context(raw_listener())
        server, (host, port) = stack.enter_context(listening())
        shared = {"trips": trips, "message": MESSAGE}
        raw = {"listener": listener, "address": listener.getsockname(), **shared}
        cases: dict[str, Batch] = {
            "raw": batch_of(timed_loop(RAW, new_client=socket.socket, SHUT_WR=socket.SHUT_WR, **raw), count),
            "lifecycle": batch_of(
                timed_loop(GOVERNED, new_client=Client, server=server, host=host, port=port, **shared), count
            ),
        }
        for rival_name, rival in present(everyone).items():
            cases[rival_name] = batch_of(timed_loop(RIVAL, new_stream=rival.stream, **raw), count)
        every = {name: rival.every for name, rival in present(everyone).items()}
        series = interleave(cases, effort.rounds(rounds), every=every)
    return against_raw(name, series, everyone, limit=limit)


CLAIM = Claim("connection", "whole TCP connection, from connect to both closes", measure)
