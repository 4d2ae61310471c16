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
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from lifecycle import Accepted, Client, Datagram, Journal, Server
from lifecycle.net.os_socket import OsSocket
from lifecycle.system.handles import facts_of
from lifecycle.system.polling import provide_waker

HOST = "127.0.0.1"

PLACES = ("/lifecycle/engine/", "/lifecycle/net/", "/lifecycle/system/", "<lifecycle ")


class Interrupt(BaseException):
    """What a signal handler raises."""


@dataclass
class Case:
    """One call, and the objects whose states it may change. given: descriptors that the call may not close."""

    call: Callable[[], Any]
    objects: tuple[OsSocket, ...]
    stack: ExitStack
    given: list[int] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)
    check: Callable[[Case], Iterator[str]] | None = None
    """More that must be true afterwards"""
    sent: int | None = None
    """What the exception that has ended the call says of it"""

    def run(self) -> None:
        """Make the call; what it gives is kept, as a program would."""
        self.results.append(self.call())


Make = Callable[[ExitStack, str], Case]
CASES: dict[str, Make] = {}


def case(make: Make) -> Make:
    CASES[make.__name__.strip("_")] = make
    return make


def made(stack: ExitStack, kind: type[Any], engine: str, *, timeout: float | None = 5) -> Any:
    sock = kind(timeout=timeout, engine=engine)
    stack.callback(sock.close)
    return sock


def listener(stack: ExitStack) -> socket.socket:
    sock = stack.enter_context(socket.socket())
    sock.bind((HOST, 0))
    sock.listen()
    return sock


def connected(stack: ExitStack, engine: str) -> tuple[Client, socket.socket]:
    client = made(stack, Client, engine)
    listening = listener(stack)
    client.create(0, HOST)
    client.connect(*listening.getsockname())
    peer = stack.enter_context(listening.accept()[0])
    return client, peer


@case
def create(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Client, engine)
    return Case(lambda: sock.create(0, HOST), (sock,), stack)


@case
def create_server(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Server, engine)
    return Case(lambda: sock.create(0), (sock,), stack)


@case
def open_(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Datagram, engine)
    return Case(sock.open, (sock,), stack)


@case
def bind(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Client, engine)
    sock.open()
    return Case(lambda: sock.bind(0, HOST), (sock,), stack)


@case
def listen(stack: ExitStack, engine: str) -> Case:
    sock = made(stack, Server, engine)
    sock.create(0, HOST)
    return Case(sock.listen, (sock,), stack)


@case
def accept(stack: ExitStack, engine: str) -> Case:
    server, target = made(stack, Server, engine), made(stack, Accepted, engine)
    server.create(0, HOST)
    server.listen()
    stack.enter_context(socket.create_connection(server.local_address))
    return Case(lambda: server.accept(target), (server, target), stack)


@case
def accept_new(stack: ExitStack, engine: str) -> Case:
    server = made(stack, Server, engine)
    server.create(0, HOST)
    server.listen()
    stack.enter_context(socket.create_connection(server.local_address))
    return Case(server.accept, (server,), stack)


@case
def connect(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine)
    client.create(0, HOST)
    address = listener(stack).getsockname()
    return Case(lambda: client.connect(*address), (client,), stack)


@case
def connect_refused(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine)
    client.create(0, HOST)
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        port = unused.getsockname()[1]

    def call() -> None:
        with suppress(ConnectionRefusedError):
            client.connect(HOST, port)

    return Case(call, (client,), stack)


@case
def finish_connect(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine, timeout=0)
    client.open()
    listening = stack.enter_context(socket.socket())
    listening.bind((HOST, 0))
    listening.listen(0)
    crowd = [stack.enter_context(socket.socket()) for _ in range(2)]
    for each in crowd:
        each.setblocking(False)
        each.connect_ex(listening.getsockname())
    with suppress(BlockingIOError):
        client.connect(*listening.getsockname())
    listening.listen(8)
    for _ in range(2):
        stack.enter_context(listening.accept()[0])
    client.timeout = 5
    return Case(client.finish_connect, (client,), stack)


@case
def set_peer(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine)
    datagram.open()
    return Case(lambda: datagram.connect(HOST, 9), (datagram,), stack)


@case
def disconnect(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine)
    datagram.create(0, HOST)
    datagram.connect(HOST, 9)
    return Case(datagram.disconnect, (datagram,), stack)


@case
def first_send_to(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine)
    datagram.open()
    return Case(lambda: datagram.send_to(b"x", HOST, 9), (datagram,), stack)


def _shut_down(how: Any) -> Make:
    def make(stack: ExitStack, engine: str) -> Case:
        client, _ = connected(stack, engine)
        return Case(lambda: client.shut_down(how), (client,), stack)

    return make


def _shut_down_datagram(how: Any) -> Make:
    def make(stack: ExitStack, engine: str) -> Case:
        datagram = made(stack, Datagram, engine)
        datagram.create(0, HOST)
        datagram.connect(HOST, 9)
        return Case(lambda: datagram.shut_down(how), (datagram,), stack)

    return make


for _how in ("sends", "receives", "both"):
    CASES[f"shut_down_{_how}"] = _shut_down(_how)
    CASES[f"shut_down_datagram_{_how}"] = _shut_down_datagram(_how)


@case
def attach_number(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine)
    given = socket.create_connection(listener(stack).getsockname()).detach()
    stack.callback(lambda: _close(given))
    return Case(lambda: client.attach(given), (client,), stack, [given])


@case
def attach_socket(stack: ExitStack, engine: str) -> Case:
    client = made(stack, Client, engine)
    given = stack.enter_context(socket.create_connection(listener(stack).getsockname()))
    return Case(lambda: client.attach(given), (client,), stack, [given.fileno()])


@case
def detach(stack: ExitStack, engine: str) -> Case:
    client, _ = connected(stack, engine)
    found = Case(client.detach, (client,), stack, [client.fileno()])
    stack.callback(lambda: [_close(number) for number in found.results])
    return found


@case
def close(stack: ExitStack, engine: str) -> Case:
    client, _ = connected(stack, engine)
    return Case(client.close, (client,), stack)


@case
def close_server(stack: ExitStack, engine: str) -> Case:
    server = made(stack, Server, engine)
    server.create(0, HOST)
    server.listen()
    return Case(server.close, (server,), stack)


@case
def send(stack: ExitStack, engine: str) -> Case:
    client, _ = connected(stack, engine)
    return Case(lambda: client.send(b"x"), (client,), stack)


@case
def send_that_waits(stack: ExitStack, engine: str) -> Case:
    client, _ = connected(stack, engine)
    client.timeout = 0.001

    def call() -> None:
        with suppress(TimeoutError):
            client.send(bytes(8_000_000))

    return Case(call, (client,), stack)


@case
def send_much(stack: ExitStack, engine: str) -> Case:
    client, peer = connected(stack, engine)
    data, came = bytes(1_000_000), []
    reader = threading.Thread(target=lambda: came.extend(map(len, iter(lambda: peer.recv(1 << 16), b""))))
    reader.start()

    def check(done: Case) -> Iterator[str]:
        sent = done.results[0] if done.results else done.sent
        client.close()
        reader.join(5)
        if sent is not None and sent != sum(came):
            yield f"{sent} bytes were sent, as the error says, and {sum(came)} came"
        elif sent is None and 0 < sum(came) < len(data):
            yield f"the error does not say that {sum(came)} bytes were sent"

    return Case(lambda: client.send(data), (client,), stack, check=check)


@case
def accept_that_waits(stack: ExitStack, engine: str) -> Case:
    server, target = made(stack, Server, engine, timeout=0.001), made(stack, Accepted, engine)
    server.create(0, HOST)
    server.listen()

    def call() -> None:
        with suppress(TimeoutError):
            server.accept(target)

    return Case(call, (server, target), stack)


@case
def create_at_a_path(stack: ExitStack, engine: str) -> Case:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    sock = made(stack, Server, engine)

    def check(done: Case) -> Iterator[str]:
        sock.close()
        if list(folder.iterdir()):
            yield "the path is left"

    return Case(lambda: sock.create(path=folder / "s"), (sock,), stack, check=check)


def _unix_pair(stack: ExitStack, engine: str) -> tuple[Client, socket.socket]:
    ours, peer = socket.socketpair()
    stack.callback(peer.close)
    client = made(stack, Client, engine)
    client.attach(ours)
    return client, peer


@case
def send_handles(stack: ExitStack, engine: str) -> Case:
    client, peer = _unix_pair(stack, engine)
    return Case(lambda: client.send_handles(b"x", [peer]), (client,), stack)


@case
def receive_handles(stack: ExitStack, engine: str) -> Case:
    client, peer = _unix_pair(stack, engine)
    socket.send_fds(peer, [b"x"], [peer.fileno(), peer.fileno()])

    def check(done: Case) -> Iterator[str]:
        for _, handles in done.results:
            for number in handles:
                os.close(number)
        yield from ()

    return Case(client.receive_handles, (client,), stack, check=check)


@case
def receive_from(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine)
    datagram.create(0, HOST)
    datagram.send_to(b"x", *datagram.local_address)
    return Case(datagram.receive_from, (datagram,), stack)


@case
def receive(stack: ExitStack, engine: str) -> Case:
    client, peer = connected(stack, engine)
    peer.sendall(b"x")
    return Case(client.receive, (client,), stack)


@case
def receive_the_end(stack: ExitStack, engine: str) -> Case:
    client, peer = connected(stack, engine)
    peer.shutdown(socket.SHUT_WR)
    return Case(client.receive, (client,), stack)


@case
def receive_that_waits(stack: ExitStack, engine: str) -> Case:
    datagram = made(stack, Datagram, engine, timeout=0.001)
    datagram.create(0, HOST)

    def call() -> None:
        with suppress(TimeoutError):
            datagram.receive()

    return Case(call, (datagram,), stack)


def _close(number: int) -> None:
    with suppress(OSError):
        os.close(number)


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


RETURNS, LOADS, STORES_A_SEQUENCE = (dis.opmap[name] for name in ("RETURN_VALUE", "LOAD_FAST", "UNPACK_SEQUENCE"))


def returns_to_the_program(frame: FrameType) -> bool:
    """Whether a call of this package is about to return to what is not of it: nothing but that, or the load before it."""
    operation, after = frame.f_code.co_code[frame.f_lasti : frame.f_lasti + 3 : 2].ljust(2, b"\0")
    if operation != RETURNS and (operation, after) != (LOADS, RETURNS):
        return False
    caller = frame.f_back
    return caller is None or not any(place in caller.f_code.co_filename for place in PLACES)


OF_A_FUTURE = {
    ("readiness.py", name) for name in ("get_loop", "add_done_callback", "result", "cancel", "cancelled", "done", "is_done")
}
"""What a task of asyncio calls in the middle of its step: what is raised there ends the step of any Future, and not the task"""


def is_left_out(frame: FrameType) -> bool:
    """Whether it is a finalizer, where Python ignores what is raised, or of a Future."""
    code = frame.f_code
    if (os.path.basename(code.co_filename), code.co_name) in OF_A_FUTURE:
        return True
    return "__del__" in (code.co_name, frame.f_back.f_code.co_name if frame.f_back else "")


class Tracer:
    """Raises at the instruction of that number, of those of this package; counts them."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.count = 0
        self.place = ""
        self._before = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        if not any(place in frame.f_code.co_filename for place in PLACES) or is_left_out(frame):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and not returns_to_the_program(frame):
            operation, before = frame.f_code.co_code[frame.f_lasti], self._before
            self._before = operation
            if before == STORES_A_SEQUENCE:  # what a loop in C gave: no signal handler runs before it is stored
                return self
            self.count += 1
            if self.count == self.number:
                self.place = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno} in {frame.f_code.co_name}"
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

    def handle(*_: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGALRM, handle)
    try:
        for _ in range(rounds):
            with arranged(CASES[name], engine) as made_case:
                try:
                    began = time.perf_counter()
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, longest))
                    made_case.run()
                    longest = max(5e-5, min(longest, 2 * (time.perf_counter() - began)))
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except Interrupt as error:
                    made_case.sent = getattr(error, "sent", None)
                    came += 1
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, signal.SIG_IGN)
                signal.signal(signal.SIGALRM, handle)
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
