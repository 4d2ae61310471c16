"""64 threads make every call against every other on shared objects, datagrams too: no hang, no foreign error, nothing lost.

`python -m tests.campaigns.threads [SECONDS] [--engine compiled|reference] [--journal]`: exits with 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import errno
import faulthandler
import gc
import os
import random
import socket
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from lifecycle import Accepted, Client, Datagram, IllegalCall, Journal, Server
from lifecycle.system.polling import provide_waker

HOST = "127.0.0.1"
THREADS = 64
ROUND = 0.4
"""Seconds of a round, each of which has objects of its own"""
PATIENCE = 30.0

RARELY: Mapping[str, float] = {"close": 0.03, "detach": 0.03, "shut_down": 0.1}
"""Calls that end a thing, and how often one that is drawn is made"""

Choose = Callable[[random.Random, "Round"], tuple[Any, ...]]


def _address(chance: random.Random, world: Round, kind: type[Any]) -> tuple[str, int]:
    """The address of one of the round's objects, or one at which nobody is."""
    name = chance.choice([each for each in world.objects if isinstance(each, kind)]).local_address
    return (HOST, name.port) if name else (HOST, 9)


def _data(chance: random.Random) -> bytes:
    return bytes(chance.choice((0, 1, 100, 70_000)))


def _size(chance: random.Random) -> int:
    return chance.choice((0, 1, 100, 70_000))


ARGUMENTS: dict[str, Choose] = {
    "create": lambda chance, world: (0, HOST),
    "bind": lambda chance, world: (0, HOST),
    "accept": lambda chance, world: (chance.choice([*(each for each in world.objects if isinstance(each, Accepted)), None]),),
    "send": lambda chance, world: (_data(chance),),
    "send_to": lambda chance, world: (_data(chance)[:1000], *_address(chance, world, Datagram)),
    "receive": lambda chance, world: (_size(chance),),
    "receive_from": lambda chance, world: (_size(chance),),
    "shut_down": lambda chance, world: (chance.choice(("sends", "receives", "both")),),
    "set_option": lambda chance, world: (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    "get_option": lambda chance, world: (socket.SO_ERROR,),
    "attach": lambda chance, world: (world.handed_out.pop(),),
}
"""The arguments of the calls that take some"""

LEFT_OUT = frozenset({"start_tls", "finish_tls", "stop_tls", "get_tls", "send_handles", "receive_handles"})
"""They take a context, or descriptors"""

BESIDE = ("cancel_blocking_call", "local_address", "peer_address", "legal", "is_blocking", "__repr__")


@dataclass
class Findings:
    """What was wrong: foreign errors and their first tracebacks. calls: how often a call ended how."""

    foreign: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def note(self, call: str, error: BaseException) -> None:
        key = f"{call}: {type(error).__name__}: {error}"[:160]
        self.foreign[key] += 1
        self.samples.setdefault(key, "".join(traceback.format_exception(error))[-1500:])


class Round:
    """Objects that all threads share, until the time is over."""

    def __init__(self, findings: Findings, engine: str, seed: int) -> None:
        self.findings = findings
        kinds = [*[Server] * 2, *[Client] * 3, *[Accepted] * 3, *[Datagram] * 2]
        self.objects: list[Any] = [kind(timeout=0.05, engine=engine) for kind in kinds]
        self.handed_out: list[int] = []
        self._seed = seed
        self._end = time.monotonic() + ROUND

    def run(self) -> bool:
        """Run all threads; whether they ended."""
        threads = [threading.Thread(target=self._work, args=(self._seed + number,), daemon=True) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            return False
        for each in self.objects:
            each.close()
            if (each.state, each.fileno(), each.is_blocking, each._claim) != ("closed", -1, False, None):
                self.findings.note("end", RuntimeError(f"{type(each).__name__} {each.state} {each.fileno()} {each._claim}"))
        for number in self.handed_out:
            try:
                os.close(number)
            except OSError as error:
                self.findings.note("a descriptor that was handed out", error)
        return True

    def _work(self, seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < self._end:
            target = chance.choice(self.objects)
            calls = [call.name for call in target.role.calls if call.fired_by is None and call.name not in LEFT_OUT]
            name = chance.choice((*calls, *BESIDE))
            if chance.random() > RARELY.get(name, 1):
                continue
            self._call(target, name, chance)

    def _call(self, target: Any, name: str, chance: random.Random) -> None:
        if name == "connect":
            arguments: tuple[Any, ...] = _address(chance, self, Server if isinstance(target, Client) else Datagram)
        else:
            try:
                arguments = ARGUMENTS.get(name, lambda *_: ())(chance, self)
            except IndexError:  # nothing was detached yet
                return
        ended = "ok"
        try:
            found = getattr(target, name)
            result = found(*arguments) if callable(found) else found
        except IllegalCall as refusal:
            ended = type(refusal).__name__
            self._keep(name, arguments)
        except OSError as error:
            ended = type(error).__name__
            if error.errno == errno.EBADF:
                self.findings.note(name, error)
            self._keep(name, arguments)
        except ValueError as error:
            if name != "attach":
                self.findings.note(name, error)
            self._keep(name, arguments)
        except BaseException as error:
            self.findings.note(name, error)
        else:
            if name == "detach":
                self.handed_out.append(result)
            elif name == "accept" and arguments[0] is None:
                result.close()
        self.findings.calls[ended] += 1

    def _keep(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "attach":
            self.handed_out.append(arguments[0])


def run(seconds: float, engine: str = "compiled", *, journal: bool = False) -> tuple[int, Findings, int]:
    """Rounds until the time is over: how many, what was found, and how many descriptors there are more at the end."""
    provide_waker()
    findings, rounds = Findings(), 0
    begin, switching = time.monotonic(), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    before = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            while not rounds or time.monotonic() - begin < seconds:
                with Journal() if journal else ExitStack():
                    if not Round(findings, engine, rounds * 1000).run():
                        faulthandler.dump_traceback(all_threads=True)
                        findings.note("hang", TimeoutError(f"round {rounds}"))
                        break
                rounds += 1
                gc.collect()
                before = before or len(os.listdir("/proc/self/fd")) + 2 * 8  # the wakers come as they are needed
    finally:
        sys.setswitchinterval(switching)
    return rounds, findings, max(0, len(os.listdir("/proc/self/fd")) - before)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, nargs="?", default=10)
    parser.add_argument("--engine", choices=("compiled", "reference"), default="compiled")
    parser.add_argument("--journal", action="store_true")
    options = parser.parse_args()
    rounds, findings, more = run(options.seconds, options.engine, journal=options.journal)
    calls = ", ".join(f"{name} {count}" for name, count in findings.calls.most_common())
    print(f"{sys.version.split()[0]} {options.engine}: {rounds} rounds of {THREADS} threads; {calls}; {more} descriptors more")
    for key, count in findings.foreign.most_common(20):
        print(f"WRONG {count} times {key}\n{findings.samples[key]}")
    with suppress(AttributeError):
        print("GIL:", sys._is_gil_enabled())  # type: ignore[attr-defined]
    return 1 if findings.foreign or more else 0


if __name__ == "__main__":
    sys.exit(main())
