"""The claim: a change of state without I/O is at least 30 times faster than a transitions trigger on the same machine."""

from __future__ import annotations

from benchmarks.claim import Claim, Figure
from benchmarks.effort import Effort
from benchmarks.interleaved import Batch, Loop, duration, interleave, timed_loop
from benchmarks.rivals import present, rivals
from examples.turnstile import TURNSTILE
from lifecycle import Lifecycle
from lifecycle.engine import machine_of
from lifecycle.engine.reference import Cursor

BOTH = "turnstile.coin(); turnstile.push()"
TRIGGERS = "coin(model); push(model)"
COUNT = 100
LIMIT = 30


class EmptyTurnstile(Lifecycle, role=TURNSTILE):
    """A turnstile whose handlers do nothing: what a change of state itself costs."""

    __slots__ = ()

    def coin(self) -> None:
        """Pay."""

    def push(self) -> None:
        """Go through."""

    def remove(self) -> None:
        """Take it away."""


def measure(effort: Effort) -> list[Figure]:
    """A turnstile goes round.

    The bare trigger of the role's own machine runs no handler, which a governed object always does: that is the sterner
    comparison, and the one that is judged. The other libraries run the same empty handler, and transitions once more.
    """
    events = machine_of(TURNSTILE).events
    trigger = timed_loop(TRIGGERS, coin=events["coin.ok"].trigger, push=events["push.ok"].trigger, model=Cursor("locked"))
    cases: dict[str, Batch] = {
        "trigger": _changes(trigger, 10),
        "lifecycle": _changes(timed_loop(BOTH, turnstile=EmptyTurnstile()), COUNT),
    }
    everyone = rivals()
    for name, rival in present(everyone).items():
        cases[name] = _changes(timed_loop(BOTH, turnstile=rival.turnstile()), 10)
    every = {name: rival.every for name, rival in present(everyone).items()}
    series = interleave(cases, effort.rounds(1000), every=every)
    times = {name: series.nanoseconds(name) for name in cases}

    def faster_than(name: str) -> dict[str, float | None]:
        return {
            other: None if rival is None else series.ratio(name, other).median
            for other, rival in everyone.items()
            if other != name
        }

    return [
        Figure(
            "times faster than a bare trigger",
            series.ratio("trigger", "lifecycle"),
            "x",
            LIMIT,
            at_least=True,
            baseline=f"trigger {duration(times['trigger'])}",
            others=faster_than("trigger"),
            nanoseconds=times,
        ),
        Figure(
            "times faster than a trigger with a handler",
            series.ratio("transitions", "lifecycle"),
            "x",
            at_least=True,
            baseline=f"trigger {duration(times['transitions'])}",
            others=faster_than("transitions"),
        ),
    ]


def _changes(loop: Loop, count: int) -> Batch:
    return lambda: (loop(count)[0] / (2 * count),)


CLAIM = Claim("change-of-state", "one change of state, no I/O", measure)
