"""The claim: an object takes at most 200 bytes more than the raw socket it holds. Told beside it: what making one costs."""

from __future__ import annotations

import socket

from benchmarks.by_transitions import with_machine_of_its_own
from benchmarks.child import python
from benchmarks.claim import Claim, Figure, against_raw, exactly
from benchmarks.effort import Effort
from benchmarks.interleaved import Batch, batch_of, interleave, timed_loop
from benchmarks.rivals import rivals
from lifecycle import Client

LIMIT = 200

OPEN_AND_CLOSE = """\
thing = make()
thing.open()
thing.close()
"""


def measure(effort: Effort) -> list[Figure]:
    """The bytes, from one process per kind, and the time."""
    everyone = rivals()
    kinds = ["transitions, own machine", "transitions, add_model", *everyone]
    missing = {name for name, rival in everyone.items() if rival is None}
    measured = [kind for kind in ("raw", "lifecycle", *kinds) if kind not in missing]
    sizes = {
        measured[number]: float(python("-m", "benchmarks.footprint", measured[number]))
        for number in effort.rounds(len(measured), len(measured))
    }
    memory = Figure(
        "per object, over the raw socket",
        exactly(sizes["lifecycle"] - sizes["raw"]),
        "B",
        LIMIT,
        timed=False,
        baseline=f"raw {sizes['raw']:.0f} B",
        others={kind: None if kind in missing else sizes[kind] - sizes["raw"] for kind in kinds},
    )
    return [memory, _creation(effort)]


def _creation(effort: Effort) -> Figure:
    """Make, open, close. `add_model` is left out: the machine keeps every model, so that each costs more than the last."""
    everyone = rivals()
    raw = timed_loop("make().close()", make=socket.socket)
    cases: dict[str, Batch] = {"raw": batch_of(raw, 20), "lifecycle": batch_of(timed_loop(OPEN_AND_CLOSE, make=Client), 20)}
    makers = {"transitions, own machine": with_machine_of_its_own}
    makers |= {name: rival.stream for name, rival in everyone.items() if rival is not None}
    for name, make in makers.items():
        cases[name] = batch_of(timed_loop(OPEN_AND_CLOSE, make=make), 2)
    every = {"transitions, own machine": 10, "python-statemachine": 10}
    series = interleave(cases, effort.rounds(500), every=every)
    others = {name: makers.get(name) for name in ("transitions, own machine", *everyone)}
    return against_raw("make, open, close", series, others)


CLAIM = Claim("memory", "memory per object, and making one", measure)
