"""Exceptions of signal handlers at every instruction of every call: no false state, no claim left, no descriptor lost.

`python -m tests.campaigns.interrupts [--engine compiled|reference] [--observed]` runs each case once per instruction of this
package that it executes, with an exception raised there by a trace function; then it raises them by a timer, at times that
differ. The instruction that returns to the program is left out: it is as if the exception came in the program. It prints how
many instructions there were and what was wrong, and exits with 1 if anything was.
"""

from __future__ import annotations

import argparse
import dis
import gc
import os
import random
import signal
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from types import CodeType, FrameType
from typing import Any

from lifecycle import Journal
from lifecycle.engine.settling import Kept
from lifecycle.system.handles import facts_of
from lifecycle.system.polling import provide_waker

from .blocking_calls import CASES, Case, Make

PLACES = ("/lifecycle/engine/", "/lifecycle/net/", "/lifecycle/system/", "<lifecycle ")


class Interrupt(BaseException):
    """What a signal handler raises."""


# -- what must be true afterwards -----------------------------------------------------------------------------------------

MAY_LOOK_OPEN = {
    ("peer_closed", "connected"),
    ("connected", "peer_closed"),
    ("connecting", "open"),
    ("connecting", "bound"),
    ("connecting", "connected"),
    ("connecting", "broken"),
}
"""(state, what the system says) that are both true: an end that is not received yet; a result that finish_connect() gets"""


def faults(done: Case) -> Iterator[str]:
    """What is not true of the objects of a case whose call has ended."""
    for sock in done.objects:
        if sock._claim is not None:
            yield f"a claim is left: {sock._claim[0]}"
        if getattr(sock, "is_blocking", False):
            yield "a wait is left"
        held = getattr(sock, "_socket", None)
        number = -1 if held is None else held.fileno()
        facts = sock.facts
        if facts.handle != (number != -1):
            yield f"{sock.state}, and the descriptor is {number}"
        elif facts.handle and isinstance(held, socket.socket):  # what TLS stands in the place of is looked at otherwise
            actual = sock.role.state_of(facts_of(held))
            if actual != sock.state and (sock.state, actual) not in MAY_LOOK_OPEN:
                yield f"the object says {sock.state}, the system {actual}"
    for number in done.given:
        owners = [sock for sock in done.objects if sock.fileno() == number]
        try:
            os.fstat(number)
        except OSError:
            yield f"descriptor {number} was closed"
        else:
            if not owners and number not in done.results and any(sock.facts.over for sock in done.objects):
                yield f"descriptor {number} is lost"
    if done.check is not None:
        yield from done.check(done)


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@contextmanager
def arranged(make: Make, engine: str) -> Iterator[Case]:
    """A case, while the collector rests: the finalizers of others would swallow an exception that is meant for the case."""
    gc.disable()
    try:
        with ExitStack() as stack:
            yield make(stack, engine)
    finally:
        gc.enable()


# -- at every instruction -------------------------------------------------------------------------------------------------


RETURNS, LOADS = dis.opmap["RETURN_VALUE"], dis.opmap["LOAD_FAST"]

STORED_FIRST = {dis.opmap[name] for name in ("UNPACK_SEQUENCE", "BINARY_OP", "UNARY_INVERT")}
"""Behind these no signal handler runs; see SystemSocket, and the test of that"""

AFTER_A_RETURN = {dis.opmap["RETURN_VALUE"], dis.opmap["STORE_FAST"]}
"""Nor does one between the return of a function of Python and these"""

CACHES = dis.opmap["CACHE"]

AWAITS = dis.opmap["GET_AWAITABLE"]
"""Nor does one between the making of a coroutine and this"""

CHANGES_THE_HANDLED = {dis.opmap[name] for name in ("PUSH_EXC_INFO", "POP_EXCEPT")}
"""Set what exception is being handled; they raise nothing and call nothing, and what a tracer raises there leaves that wrong:
the interpreter then holds the exception, and what that holds, for as long as the thread runs"""


def returns_to_the_program(frame: FrameType) -> bool:
    """Whether a call of this package is about to return to what is not of it: nothing but that, or the load before it.

    Also through methods that only hand on what they are given. A result that C keeps is as good as returned.
    """
    _, operation, after = instructions_of(frame.f_code)[frame.f_lasti]
    if operation != RETURNS and (operation, after) != (LOADS, RETURNS):
        return False
    caller = frame.f_back
    while caller is not None and is_of_this_package(caller.f_code):
        if caller.f_code is Kept.result_of.__code__:
            return True
        if operation != RETURNS or instructions_of(caller.f_code)[caller.f_lasti][2] != RETURNS:
            return False
        caller = caller.f_back
    return True


@cache
def is_of_this_package(code: CodeType) -> bool:
    return any(place in code.co_filename for place in PLACES)


@cache
def instructions_of(code: CodeType) -> dict[int, tuple[int, int, int]]:
    """offset -> the instruction before, the one there, and the one after; those that only cache are passed over.

    A frame that makes a call may stand at what the call caches.
    """
    found, before, operations = {}, 0, code.co_code[::2]
    for at, operation in enumerate(operations):
        after = next((each for each in operations[at + 1 :] if each != CACHES), 0)
        found[2 * at] = (before, operation, after)
        before = operation if operation != CACHES else before
    return found


OF_A_FUTURE = {
    ("readiness.py", name) for name in ("get_loop", "add_done_callback", "result", "cancel", "cancelled", "done", "is_done")
}
"""What a task of asyncio calls in the middle of its step: what is raised there ends the step of any Future, and not the task"""


WITH_A_LOCK = {("threads.py", "frames_of_threads")}
"""What a tracer raises between the end of a `with` and its __exit__() leaves the lock taken; no signal handler runs there"""


def is_left_out(frame: FrameType) -> bool:
    """Whether it is a finalizer, where Python ignores what is raised, or of a Future, or holds a lock of all threads."""
    code = frame.f_code
    if (os.path.basename(code.co_filename), code.co_name) in OF_A_FUTURE | WITH_A_LOCK:
        return True
    return "__del__" in (code.co_name, frame.f_back.f_code.co_name if frame.f_back else "")


class Tracer:
    """Raises at the instruction of that number, of those of this package; counts them."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.count = 0
        self.place = ""
        self.last = 0
        """the instruction before"""

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        """A call begins, or a coroutine goes on."""
        if not is_of_this_package(frame.f_code) or is_left_out(frame):
            return None
        frame.f_trace_opcodes = True
        return Traced(self, instructions_of(frame.f_code))


class Traced:
    """What Python calls at the instructions of one frame. A campaign spends its time here."""

    __slots__ = ("_instructions", "_tracer")

    def __init__(self, tracer: Tracer, instructions: dict[int, tuple[int, int, int]]) -> None:
        self._tracer, self._instructions = tracer, instructions

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        if event != "opcode":
            return self
        before, operation, after = self._instructions[frame.f_lasti]
        if (operation == RETURNS or after == RETURNS) and returns_to_the_program(frame):
            return self
        tracer = self._tracer
        last, tracer.last = tracer.last, operation
        if operation in CHANGES_THE_HANDLED or before in STORED_FIRST:
            return self
        if operation == AWAITS or (last == RETURNS and operation in AFTER_A_RETURN):
            return self
        tracer.count += 1
        if tracer.count == tracer.number:
            tracer.place = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno} in {frame.f_code.co_name}"
            sys.settrace(None)
            raise Interrupt
        return self


def raised_at(make: Make, engine: str, number: int) -> tuple[bool, str, list[str]]:
    """Run a case with an exception at that instruction: whether it came to it, where it was, what was wrong."""
    before = descriptors()
    with arranged(make, engine) as made_case:
        tracer = Tracer(number)
        came = False
        sys.settrace(tracer)
        try:
            made_case.run()
        except Interrupt as error:
            came, made_case.sent = True, getattr(error, "sent", None)
        finally:
            sys.settrace(None)
        wrong = list(faults(made_case))
        for sock in made_case.objects:
            sock.close()
            if sock.fileno() != -1 or not sock.facts.over:
                wrong.append(f"close() leaves {sock.state}, {sock.fileno()}")
    made_case.results.clear()
    del made_case
    after = descriptors()
    if len(after) > len(before):
        gc.collect()
        after = descriptors()
    if len(after) > len(before):
        wrong.append(f"{len(after) - len(before)} descriptors are lost")
    return came or tracer.count >= number, tracer.place, wrong


def every_instruction(name: str, engine: str, step: int = 1, first: int = 1) -> tuple[int, list[str]]:
    """Raise at every instruction of a case, or at each `step`th; how many there were, and what was wrong."""
    number, wrong, count = first, [], 0
    while True:
        came, place, found = raised_at(CASES[name], engine, number)
        if not came:
            return count, wrong
        count += 1
        wrong += [f"{name}, {engine}, instruction {number} at {place}: {each}" for each in found]
        number += step


# -- by a timer -----------------------------------------------------------------------------------------------------------


def by_a_timer(name: str, engine: str, rounds: int, seed: int = 0) -> tuple[int, list[str]]:
    """Raise by a signal, at times within the call; how often it came in the call, and what was wrong."""
    chance = random.Random(seed)
    wrong: list[str] = []
    came, longest = 0, 2e-4

    armed = [False]

    def handle(*_: object) -> None:
        if armed[0]:  # once, and not behind the call
            armed[0] = False
            raise Interrupt

    before = signal.signal(signal.SIGALRM, handle)
    try:
        for _ in range(rounds):
            with arranged(CASES[name], engine) as made_case:
                try:
                    armed[0] = True
                    began = time.perf_counter()
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, longest))
                    made_case.run()
                    longest = max(5e-5, min(longest, 2 * (time.perf_counter() - began)))
                    armed[0] = False
                except Interrupt as error:
                    made_case.sent = getattr(error, "sent", None)
                    came += 1
                signal.setitimer(signal.ITIMER_REAL, 0)
                wrong += [f"{name}, {engine}, by a timer: {each}" for each in faults(made_case) if "is lost" not in each]
                for sock in made_case.objects:
                    sock.close()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return came, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("compiled", "reference"), action="append")
    parser.add_argument("--case", choices=sorted(CASES), action="append")
    parser.add_argument("--step", type=int, default=1, help="raise at each so many-th instruction")
    parser.add_argument("--rounds", type=int, default=300, help="timed exceptions of each case")
    parser.add_argument("--observed", action="store_true", help="while a journal is kept")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ResourceWarning)
    provide_waker()
    total, timed, wrong = 0, 0, []
    with Journal() if options.observed else ExitStack():
        for engine in options.engine or ("compiled", "reference"):
            for name in options.case or CASES:
                count, found = every_instruction(name, engine, options.step)
                came, more = by_a_timer(name, engine, options.rounds)
                total, timed = total + count, timed + came
                wrong += found + more
                print(
                    f"{engine:9} {name:28} {count:6} instructions, {came:4} timed, {len(found) + len(more)} wrong", flush=True
                )
    for each in wrong[:200]:
        print(each)
    print(f"{total} instructions, {timed} timed exceptions, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
