"""As interrupts.py, for calls that are awaited on asyncio, and for TLS, blocking and awaited.

`python -m tests.campaigns.interrupts_awaited [--engine compiled|reference] [--case NAME] [--step N]` raises an exception at
every instruction of this package that a call executes, in its task or in a callback of the loop, and cancels the call at every
await. A call that goes on must end. It prints how many instructions and awaits there were and what was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from lifecycle.system.polling import provide_waker

from .awaited_calls import CASES, Make
from .blocking_calls import Case
from .interrupts import Interrupt, Tracer, descriptors, faults, raised_at
from .tls_calls import PATIENCE, TLS


def tried_over_tls(name: str, engine: str, step: int = 1, first: int = 1) -> tuple[int, list[str]]:
    """Every instruction of a blocking case, or each `step`th: how many, and what was wrong."""
    count, number, wrong = 0, first, []
    while (result := raised_at(TLS[name], engine, number))[0]:
        wrong += [f"{name}, {engine}, instruction {number} at {result[1]}: {each}" for each in result[2]]
        count, number = count + 1, number + step
    return count, wrong


class Cancelling:
    """An awaitable that cancels its task at the await of that number: before it waits, or as the loop has the next turn."""

    def __init__(self, call: Callable[[], Any], number: int, *, soon: bool) -> None:
        self._call, self.number, self._soon = call, number, soon
        self.count = 0

    def __await__(self) -> Any:
        task = asyncio.current_task()
        assert task is not None
        given = self._call()
        if not hasattr(given, "__await__"):
            return given
        waits = given.__await__()
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            try:
                wanted = waits.send(sent) if thrown is None else waits.throw(thrown)
            except StopIteration as ended:
                return ended.value
            self.count += 1
            if self.count == self.number:
                asyncio.get_running_loop().call_soon(task.cancel) if self._soon else task.cancel()
            try:
                sent, thrown = (yield wanted), None
            except BaseException as error:
                sent, thrown = None, error


async def _tried(
    make: Make, engine: str, trouble: Tracer | None, cancelling: tuple[int, bool] | None
) -> tuple[bool, list[str]]:
    """Run a case with an exception or a cancellation: whether it came to that, what was wrong."""
    before = descriptors()
    gc.disable()
    try:
        with ExitStack() as stack:
            came, wrong = await _ended(await make(stack, engine), trouble, cancelling)
    finally:
        gc.enable()
    await asyncio.sleep(0)
    if len(descriptors()) > len(before):
        gc.collect()
        await asyncio.sleep(0.02)
    left = len(descriptors()) - len(before)
    return came, [*wrong, f"{left} descriptors are lost"] if left > 0 else wrong


async def _ended(done: Case, trouble: Tracer | None, cancelling: tuple[int, bool] | None) -> tuple[bool, list[str]]:
    waits = Cancelling(done.call, cancelling[0], soon=cancelling[1]) if cancelling else None

    async def run() -> None:
        given = done.call() if waits is None else waits
        done.results.append(await given if hasattr(given, "__await__") else given)

    task = asyncio.ensure_future(run())
    sys.settrace(trouble)
    try:
        await asyncio.wait({task}, timeout=PATIENCE)
    finally:
        sys.settrace(None)
    wrong = []
    if not task.done():
        wrong.append("the call does not end")
        task.cancel()
    with suppress(Interrupt, OSError, asyncio.CancelledError):
        await task
    for sock in done.objects:
        done.sent = getattr(sock, "sent", None)
    wrong += faults(done)
    for sock in done.objects:
        sock.close()
        if sock.fileno() != -1 or not sock.facts.over:
            wrong.append(f"close() leaves {sock.state}, {sock.fileno()}")
    if trouble is not None:
        return trouble.count >= trouble.number, wrong
    return waits is not None and waits.count >= waits.number, wrong


async def tried(name: str, engine: str, step: int = 1, first: int = 1) -> tuple[int, int, list[str]]:
    """Every instruction, or each `step`th, and every await of a case: how many of each, and what was wrong."""
    make = CASES[name]
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # what was raised in a callback
    instructions, awaits, wrong, number = 0, 0, [], first
    await _tried(make, engine, None, None)  # the loop makes what it keeps
    while True:
        tracer = Tracer(number)
        came, found = await _tried(make, engine, tracer, None)
        if not came:
            break
        instructions, number = instructions + 1, number + step
        wrong += [f"{name}, {engine}, instruction {tracer.number} at {tracer.place}: {each}" for each in found]
    for soon in (False, True):
        number = 1
        while True:
            came, found = await _tried(make, engine, None, (number, soon))
            if not came:
                break
            awaits, number = awaits + 1, number + 1
            wrong += [f"{name}, {engine}, cancelled at await {number - 1}{' soon' * soon}: {each}" for each in found]
    return instructions, awaits, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("compiled", "reference"), action="append")
    parser.add_argument("--case", choices=sorted({*CASES, *TLS}), action="append")
    parser.add_argument("--step", type=int, default=1, help="raise at each so many-th instruction")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ResourceWarning)
    provide_waker()
    total, cancelled, wrong = 0, 0, []
    for engine in options.engine or ("compiled", "reference"):
        for name in options.case or [*CASES, *TLS]:
            instructions, awaits, found = 0, 0, []
            if name in CASES:
                instructions, awaits, found = asyncio.run(tried(name, engine, options.step))
            else:
                instructions, found = tried_over_tls(name, engine, options.step)
            total, cancelled = total + instructions, cancelled + awaits
            wrong += found
            print(f"{engine:9} {name:28} {instructions:6} instructions, {awaits:3} awaits, {len(found)} wrong", flush=True)
    for each in wrong[:200]:
        print(each)
    print(f"{total} instructions, {cancelled} cancellations, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
