"""The claim: refusing an illegal call costs at most 3 µs where a raise and an except cost about 1 µs.

A raise and an except mean what a hand-written check does: a method looks at the state, makes an exception that carries the
state and the call, and the caller catches it. Told beside it: a `raise` in the caller's own frame, which calls nothing.
"""

from __future__ import annotations

from benchmarks.claim import Claim, Figure
from benchmarks.effort import Effort
from benchmarks.interleaved import Batch, Spread, batch_of, duration, interleave, timed_loop
from benchmarks.rivals import present, rivals
from lifecycle import Client, IllegalCall

LIMIT_RATIO = 3
LIMIT_MICROSECONDS = 3
COUNT = 100

ATTEMPT = """\
try:
    stream.send(b"x")
except Refusal:
    pass
"""

BARE = """\
try:
    raise ValueError
except ValueError:
    pass
"""


class Refused(Exception):
    """What a hand-written check raises."""

    def __init__(self, state: str, call: str) -> None:
        super().__init__(f"{call} is not legal in {state}")
        self.state = state
        self.call = call


class HandWritten:
    """A stream whose state is checked by hand."""

    def __init__(self) -> None:
        self.state = "empty"

    def send(self, data: bytes) -> None:
        if self.state != "connected":
            raise Refused(self.state, "send")


def measure(effort: Effort) -> list[Figure]:
    """A send before there is a socket."""
    everyone = rivals()
    cases: dict[str, Batch] = {
        "raise": batch_of(timed_loop(BARE), COUNT),
        "hand-written": batch_of(timed_loop(ATTEMPT, stream=HandWritten(), Refusal=Refused), COUNT),
        "lifecycle": batch_of(timed_loop(ATTEMPT, stream=Client(), Refusal=IllegalCall), COUNT),
    }
    for name, rival in present(everyone).items():
        cases[name] = batch_of(timed_loop(ATTEMPT, stream=rival.stream(), Refusal=rival.refusal), COUNT // 10)
    every = {name: rival.every for name, rival in present(everyone).items()}
    series = interleave(cases, effort.rounds(1000), every=every)
    times = {name: series.nanoseconds(name) for name in cases}

    def others(baseline: str) -> dict[str, float | None]:
        return {name: None if rival is None else series.ratio(name, baseline).median for name, rival in everyone.items()}

    microseconds = Spread(*(value / 1000 for value in series.spread("lifecycle")))
    return [
        Figure(
            "against a check by hand that raises",
            series.ratio("lifecycle", "hand-written"),
            "x",
            LIMIT_RATIO,
            baseline=f"by hand {duration(times['hand-written'])}",
            others=others("hand-written"),
            nanoseconds=times,
        ),
        Figure(
            "time on this machine",
            microseconds,
            "us",
            LIMIT_MICROSECONDS,
            others={name: times[name] / 1000 if rival is not None else None for name, rival in everyone.items()},
        ),
        Figure(
            "against a raise in the caller's own frame",
            series.ratio("lifecycle", "raise"),
            "x",
            baseline=f"raise {duration(times['raise'])}",
            others=others("raise"),
        ),
    ]


CLAIM = Claim("refusal", "refusing an illegal call", measure)
