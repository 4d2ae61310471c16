"""State-preserving calls, raw and governed: a batch of sends, then the receives that empty the connection again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from itertools import cycle
from typing import Any

from benchmarks.claim import Figure, against_raw
from benchmarks.interleaved import Batch, interleave, timed_loop
from benchmarks.loopback import governed_pair, raw_pair, rival_pair
from benchmarks.rivals import present, rivals

PAIRS = 4
"""Connections of each case, which take turns: how fast one is, by where its memory lies, does not decide for the case"""


def in_turn(batches: Iterable[Batch]) -> Batch:
    """The batches, each the next time."""
    turns = cycle(batches)
    return lambda: tuple(next(turns)())


def calls_batch(send: str, receive: str, client: Any, accepted: Any, *, size: int, count: int, repeats: int) -> Batch:
    """`repeats` times `count` sends of `size` bytes and as many receives; two phases.

    The connection is emptied between them, outside the timed parts, and nothing is left over for the next: a receive may
    get less than was asked for.
    """
    sending = timed_loop(f"{send}(data)", client=client, data=bytes(size))
    receiving = timed_loop(f"last = {receive}({size})", accepted=accepted)
    rest: Callable[[int], bytes] = getattr(accepted, receive.rpartition(".")[2])

    def batch() -> tuple[float, float]:
        sends = receives = 0
        for _ in range(repeats):
            sends += sending(count)[0]
            elapsed, last = receiving(count)
            receives += elapsed
            left = size - len(last)
            while left:
                left -= len(rest(left))
        calls = repeats * count
        return sends / calls, receives / calls

    return batch


def measure_calls(
    rounds: Iterable[int],
    *,
    size: int,
    count: int,
    repeats: int,
    limits: tuple[float, float],
    pairs: Mapping[str, Callable[[], AbstractContextManager[tuple[Any, Any]]]] | None = None,
) -> list[Figure]:
    """The two figures, send and receive, for calls of `size` bytes. pairs: raw and governed ends of another kind than TCP's."""
    shape = {"size": size, "count": count, "repeats": repeats}
    everyone = {} if pairs else rivals()
    ends = pairs or {"raw": raw_pair, "lifecycle": governed_pair}
    with ExitStack() as stack:

        def case(send: str, receive: str, pair: Callable[[], AbstractContextManager[tuple[Any, Any]]]) -> Batch:
            return in_turn(
                [calls_batch(send, receive, *stack.enter_context(pair()), **shape) for _ in range(PAIRS)],
            )

        cases = {
            "raw": case("client.sendall", "accepted.recv", ends["raw"]),
            "lifecycle": case("client.send", "accepted.receive", ends["lifecycle"]),
        }
        for name, rival in present(everyone).items():
            cases[name] = case("client.send", "accepted.receive", partial(rival_pair, rival))
        every = {name: rival.every for name, rival in present(everyone).items()}
        series = interleave(cases, rounds, every=every)
    return [
        against_raw("send", series, everyone, phase=0, limit=limits[0], baseline="sendall"),
        against_raw("receive", series, everyone, phase=1, limit=limits[1], baseline="recv"),
    ]
