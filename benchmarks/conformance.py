"""The claims: a plain driver checks 50,000 steps a second; the derived Hypothesis machine keeps 0.8 of the rate of one by hand.

The hand-written machine is what a user would write for a client without the table: as many rules, each making one call on
the same sockets, with the same drawn arguments, and an assertion after it. A rate is of rules per second for both.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from benchmarks.claim import Claim, Figure, exactly
from benchmarks.effort import Effort
from benchmarks.interleaved import interleave, spread

WALKS = 400
LIMIT_STEPS, LIMIT_RATIO = 50_000, 0.8
HOST = "127.0.0.1"


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
    from lifecycle.conformance import GovernedAdapter, conformance_machine
    from lifecycle.roles import CLIENT

    derived = conformance_machine(CLIENT, GovernedAdapter)
    rules = sum(1 for name in vars(derived) if name.startswith("client_"))
    by_hand = hand_written(rules)
    examples = 2 if effort.quick else 10
    try:
        series = interleave(
            {"derived": _rules_of(derived, examples), "by hand": _rules_of(by_hand, examples)}, effort.rounds(15, 2)
        )
    finally:
        derived.opening.close()
    return Figure(
        f"Hypothesis machine, {rules} rules, against one by hand",
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


def hand_written(rules: int) -> Any:
    """A machine for a client as one would write it, with so many rules."""
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

    from lifecycle import Client, IllegalCall

    class ByHand(RuleBasedStateMachine):
        """Calls a client in any order; what is out of order must be refused and change nothing."""

        def __init__(self) -> None:
            super().__init__()
            self.listener = socket.create_server((HOST, 0))
            self.listener.setblocking(False)
            self.peer: socket.socket | None = None
            self.client = Client(timeout=0)

        def attempt(self, call: str, *arguments: Any) -> None:
            state, legal = self.client.state, self.client.legal
            try:
                getattr(self.client, call)(*arguments)
            except IllegalCall:
                assert call not in legal
                assert self.client.state == state
            except OSError:
                assert call in legal
            if self.peer is None:
                with suppress(BlockingIOError):
                    self.peer = self.listener.accept()[0]

        @rule(data=st.binary(min_size=1, max_size=64))
        def send(self, data: bytes) -> None:
            self.attempt("send", data)

        @rule(size=st.integers(7, 65536))
        def receive(self, size: int) -> None:
            self.attempt("receive", size)

        @rule(size=st.integers(7, 65536))
        def receive_from(self, size: int) -> None:
            self.attempt("receive_from", size)

        @rule(how=st.sampled_from(["sends", "receives", "both"]))
        def shut_down(self, how: str) -> None:
            self.attempt("shut_down", how)

        @rule(listens=st.booleans())
        def connect(self, listens: bool) -> None:
            self.attempt("connect", HOST, self.listener.getsockname()[1] if listens else 1)

        @rule(option=st.sampled_from([socket.SO_RCVBUF, 9999]))
        def get_option(self, option: int) -> None:
            self.attempt("get_option", option)

        @rule()
        def peer_sends(self) -> None:
            if self.peer is not None:
                with suppress(OSError):
                    self.peer.send(b"message")

        @rule()
        def peer_ends(self) -> None:
            if self.peer is not None:
                with suppress(OSError):
                    self.peer.shutdown(socket.SHUT_WR)

        @invariant()
        def tells_what_is_legal(self) -> None:
            assert self.client.legal == self.client.role.legal(self.client.state)

        def teardown(self) -> None:
            self.client.close()
            self.listener.close()
            if self.peer is not None:
                self.peer.close()

    plain = (
        "create",
        "open",
        "bind",
        "finish_connect",
        "get_sock_name",
        "get_peer_name",
        "io_ctl",
        "listen",
        "accept",
        "close",
    )
    arguments: dict[str, tuple[Any, ...]] = {"create": (0, HOST), "bind": (0, HOST)}
    namespace: dict[str, Any] = {}
    for number in range(rules - 8):
        call = plain[number % len(plain)]
        namespace[f"{call}_{number}"] = rule()(_plain_rule(f"{call}_{number}", call, arguments.get(call, ())))
    return type("ByHandMachine", (ByHand,), namespace)


def _plain_rule(name: str, call: str, arguments: tuple[Any, ...]) -> Callable[[Any], None]:
    def step(self: Any) -> None:
        self.attempt(call, *arguments)

    step.__name__ = name
    return step


CLAIM = Claim("conformance", "the suite: checked steps a second, and the rate of the derived Hypothesis machine", measure)
