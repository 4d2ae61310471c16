"""The claims: a plain driver checks 50,000 steps a second; the derived Hypothesis machine keeps 0.8 of the rate of one by hand.

The machine by hand (by_hand.py) has as many rules, which make the same calls on real sockets, over TLS too, and checks what
each call does. Its calls are alike: six of ten are refused, one of seven (derived) or six is made over TLS, and there is a
connection for each 17 or 26 rules, a handshake for each 125 or 170. A rate is of rules per second for both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.claim import Claim, Figure, exactly
from benchmarks.effort import Effort
from benchmarks.interleaved import interleave, spread

WALKS = 400
LIMIT_STEPS, LIMIT_RATIO = 50_000, 0.8


def measure(effort: Effort) -> list[Figure]:
    """The plain driver on every socket role; then both machines for the client, round by round."""
    return [*_plain_driver(effort), _machines(effort)]


def _plain_driver(effort: Effort) -> list[Figure]:
    from lifecycle.conformance import GovernedAdapter
    from lifecycle.conformance.driving.sequences import model_for, walk
    from lifecycle.roles import ROLES

    names = ("server", "client", "accepted", "datagram")
    rates: dict[str, list[float]] = {name: [] for name in names}
    adapter = GovernedAdapter()
    found = 0
    try:
        models = {name: model_for(adapter, ROLES[name]) for name in names}
        for number in effort.rounds(15, 2):
            for name in names:
                begin = time.perf_counter()
                result = walk(adapter, models[name], walks=WALKS, seed=number)
                rates[name].append(result.steps / (time.perf_counter() - begin))
                found += len(result.divergences)
    finally:
        adapter.close()
    figures = [
        Figure(f"plain driver, {name}: checked steps a second", spread(rates[name]), "", LIMIT_STEPS, at_least=True)
        for name in names
    ]
    return [*figures, Figure("steps that differ from the table", exactly(found), "", 0, timed=False)]


def _machines(effort: Effort) -> Figure:
    from benchmarks import by_hand
    from lifecycle.conformance import GovernedAdapter, conformance_machine
    from lifecycle.roles import CLIENT

    derived = conformance_machine(CLIENT, GovernedAdapter)
    rules = {name.removeprefix("client_") for name in vars(derived) if name.startswith("client_")}
    machine = by_hand.machine()
    assert rules == by_hand.names_of_rules(machine)
    examples = 2 if effort.quick else 10
    try:
        series = interleave(
            {"derived": _rules_of(derived, examples), "by hand": _rules_of(machine, examples)}, effort.rounds(15, 2)
        )
    finally:
        derived.opening.close()
        machine.listener.close()
    return Figure(
        f"Hypothesis machine, {len(rules)} rules, against one by hand",
        series.ratio("by hand", "derived"),
        "x",
        LIMIT_RATIO,
        at_least=True,
        baseline="by hand",
        nanoseconds={case: series.nanoseconds(case) for case in ("derived", "by hand")},
    )


def _rules_of(machine: Any, examples: int) -> Callable[[], tuple[float]]:
    """A case that runs a machine: nanoseconds per rule."""
    from hypothesis import HealthCheck, Phase, settings
    from hypothesis.stateful import run_state_machine_as_test

    chosen = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    made = [0]
    check = machine.check_invariants

    def counting(self: Any, *arguments: Any, **keywords: Any) -> Any:
        made[0] += 1
        return check(self, *arguments, **keywords)

    machine.check_invariants = counting

    def run() -> tuple[float]:
        made[0] = 0
        begin = time.perf_counter_ns()
        run_state_machine_as_test(machine, settings=chosen)
        return ((time.perf_counter_ns() - begin) / made[0],)

    return run


CLAIM = Claim("conformance", "the suite: checked steps a second, and the rate of the derived Hypothesis machine", measure)
