"""As interrupts.py, for calls that are awaited on asyncio, and for TLS, blocking and awaited.

`python -m tests.campaigns.interrupts_awaited [--engine compiled|reference] [--case NAME] [--step N]` raises an exception at
every instruction of this package that a call executes, in its task or in a callback of the loop, and cancels the call at every
await. A call that goes on must end. It prints how many instructions and awaits there were and what was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, suppress
from typing import Any

from lifecycle import Client, aio
from lifecycle.conformance.adapters.certificates import client_context, server_context
from lifecycle.system.polling import provide_waker

from .interrupts import HOST, Case, Interrupt, Tracer, connected, descriptors, faults, listener, raised_at

PATIENCE = 5.0
DATA = bytes(range(256)) * 300  # more than one piece of TLS

Make = Callable[[ExitStack, str], Coroutine[Any, Any, Case]]
CASES: dict[str, Make] = {}


def case(make: Make) -> Make:
    CASES[make.__name__.strip("_")] = make
    return make


# -- the peer of TLS: a thread, which is not traced --------------------------------------------------------------------------


def echo_over_tls(stack: ExitStack, peer: socket.socket) -> None:
    """Make the server's handshake, send everything back, end TLS when the client does, and go on in plain text."""

    def run() -> None:
        with suppress(OSError, ValueError):
            peer.settimeout(PATIENCE)
            with server_context().wrap_socket(peer, server_side=True, suppress_ragged_eofs=False) as secured:
                for data in iter(lambda: secured.recv(1 << 16), b""):
                    secured.sendall(data)
                plain = secured.unwrap()
                for data in iter(lambda: plain.recv(1 << 16), b""):
                    plain.sendall(data)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stack.callback(thread.join, PATIENCE)


SECURE = {"server_hostname": "localhost"}


def echoed(client: Client, before: int) -> Iterator[str]:
    """Whether what was sent, `before` bytes of DATA and a word, comes back."""
    client.send(b"word")
    wanted, got = DATA[:before] + b"word", b""
    while len(got) < len(wanted) and (part := client.receive()):
        got += part
    if got != wanted:
        yield f"{len(got)} other bytes came back than the {len(wanted)} that were sent, as its error says"


def tls_faults(done: Case) -> Iterator[str]:
    """Whether the state is true: the peer understands what it lets one do. The blocking twin of the object does it."""
    (client,) = done.objects
    state = client.state
    if state in ("broken", "closed"):
        return
    try:
        if isinstance(client, Client):
            client.timeout = PATIENCE
            yield from _goes_on(client, done)
    except OSError as error:
        yield f"the object says {state}, and then: {error!r}"


def _goes_on(client: Client, done: Case) -> Iterator[str]:
    taken = done.results[0] if done.results and isinstance(done.results[0], int) else done.sent or 0
    if client.state == "handshaking":
        client.finish_tls()
    if client.state == "connected" and done.given:  # TLS was not begun
        client.start_tls(client_context(), **SECURE)
    done.given.clear()
    if client.state == "secured_send_shut":
        client.receive(0)
        while client.receive():
            pass
    if client.state == "secured_ended":
        client.stop_tls()
    if client.is_legal("send") and done.results[:1] != [b""]:
        yield from echoed(client, taken)


def secured(stack: ExitStack, engine: str) -> Client:
    client, peer = connected(stack, engine)
    echo_over_tls(stack, peer)
    client.start_tls(client_context(), **SECURE)
    return client


def _blocking(prepare: Callable[[Client], object], call: Callable[[Client], Any], *, begun: bool = True) -> Any:
    def make(stack: ExitStack, engine: str) -> Case:
        if begun:
            client = secured(stack, engine)
        else:
            client, peer = connected(stack, engine)
            echo_over_tls(stack, peer)
        prepare(client)
        return Case(lambda: call(client), (client,), stack, given=[] if begun else [client.fileno()], check=tls_faults)

    return make


def _ends(client: Client) -> None:
    client.shut_down()
    while client.receive():
        pass


def _begins(client: Client) -> None:
    client.timeout = 0
    with suppress(BlockingIOError):
        client.start_tls(client_context(), **SECURE)
    client.timeout = PATIENCE


def _asks(client: Client) -> None:
    client.send(b"")


TLS: dict[str, Any] = {
    "tls_start": _blocking(_asks, lambda client: client.start_tls(client_context(), **SECURE), begun=False),
    "tls_finish": _blocking(_begins, lambda client: client.is_legal("finish_tls") and client.finish_tls(), begun=False),
    "tls_send": _blocking(_asks, lambda client: client.send(DATA[:10])),
    "tls_send_much": _blocking(_asks, lambda client: client.send(DATA)),
    "tls_shut_down": _blocking(_asks, lambda client: client.shut_down()),
    "tls_stop": _blocking(_ends, lambda client: client.stop_tls()),
    "tls_close": _blocking(_asks, lambda client: client.close()),
}


def tried_over_tls(name: str, engine: str, step: int = 1, first: int = 1) -> tuple[int, list[str]]:
    """Every instruction of a blocking case, or each `step`th: how many, and what was wrong."""
    count, number, wrong = 0, first, []
    while (result := raised_at(TLS[name], engine, number))[0]:
        wrong += [f"{name}, {engine}, instruction {number} at {result[1]}: {each}" for each in result[2]]
        count, number = count + 1, number + step
    return count, wrong


# -- awaited calls -----------------------------------------------------------------------------------------------------------


def make_awaited(stack: ExitStack, kind: type[Any], engine: str) -> Any:
    sock = kind(engine=engine)
    stack.callback(sock.close)
    return sock


async def awaited_pair(stack: ExitStack, engine: str) -> tuple[aio.Client, socket.socket]:
    client = make_awaited(stack, aio.Client, engine)
    listening = listener(stack)
    await client.create(0, HOST)
    await client.connect(*listening.getsockname())
    return client, stack.enter_context(listening.accept()[0])


async def awaited_server(stack: ExitStack, engine: str) -> aio.Server:
    server = make_awaited(stack, aio.Server, engine)
    await server.create(0, HOST)
    server.listen()
    return server


async def awaited_datagram(stack: ExitStack, engine: str) -> aio.Datagram:
    datagram = make_awaited(stack, aio.Datagram, engine)
    await datagram.create(0, HOST)
    return datagram


@case
async def create(stack: ExitStack, engine: str) -> Case:
    sock = make_awaited(stack, aio.Server, engine)
    return Case(lambda: sock.create(0, HOST), (sock,), stack)


@case
async def bind(stack: ExitStack, engine: str) -> Case:
    sock = make_awaited(stack, aio.Client, engine)
    sock.open()
    return Case(lambda: sock.bind(0, HOST), (sock,), stack)


@case
async def listen(stack: ExitStack, engine: str) -> Case:
    sock = make_awaited(stack, aio.Server, engine)
    await sock.create(0, HOST)
    return Case(sock.listen, (sock,), stack)


@case
async def accept(stack: ExitStack, engine: str) -> Case:
    server, target = await awaited_server(stack, engine), make_awaited(stack, aio.Accepted, engine)
    stack.enter_context(socket.create_connection(server.local_address))
    return Case(lambda: server.accept(target), (server, target), stack)


@case
async def accept_that_waits(stack: ExitStack, engine: str) -> Case:
    server, target = await awaited_server(stack, engine), make_awaited(stack, aio.Accepted, engine)
    peer = stack.enter_context(socket.socket())
    peer.setblocking(False)
    asyncio.get_running_loop().call_later(0.002, peer.connect_ex, tuple(server.local_address))
    return Case(lambda: server.accept(target), (server, target), stack)


@case
async def connect(stack: ExitStack, engine: str) -> Case:
    client = make_awaited(stack, aio.Client, engine)
    client.open()
    address = listener(stack).getsockname()
    return Case(lambda: client.connect(*address), (client,), stack)


@case
async def connect_refused(stack: ExitStack, engine: str) -> Case:
    client = make_awaited(stack, aio.Client, engine)
    client.open()
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        port = unused.getsockname()[1]

    async def call() -> None:
        with suppress(ConnectionRefusedError):
            await client.connect(HOST, port)

    return Case(call, (client,), stack)


@case
async def connect_to_a_name(stack: ExitStack, engine: str) -> Case:
    client = make_awaited(stack, aio.Client, engine)
    await client.create()
    port = listener(stack).getsockname()[1]
    return Case(lambda: client.connect("localhost", port), (client,), stack)


@case
async def set_peer_and_disconnect(stack: ExitStack, engine: str) -> Case:
    datagram = await awaited_datagram(stack, engine)

    async def call() -> None:
        await datagram.connect(HOST, 9)
        datagram.disconnect()

    return Case(call, (datagram,), stack)


@case
async def receive_from_that_waits(stack: ExitStack, engine: str) -> Case:
    datagram = await awaited_datagram(stack, engine)
    peer = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    asyncio.get_running_loop().call_later(0.002, peer.sendto, b"x", tuple(datagram.local_address))
    return Case(datagram.receive_from, (datagram,), stack)


@case
async def receive_that_waits(stack: ExitStack, engine: str) -> Case:
    client, peer = await awaited_pair(stack, engine)
    asyncio.get_running_loop().call_later(0.002, peer.send, b"x")
    return Case(client.receive, (client,), stack)


@case
async def receive_the_end(stack: ExitStack, engine: str) -> Case:
    client, peer = await awaited_pair(stack, engine)
    asyncio.get_running_loop().call_later(0.002, peer.shutdown, socket.SHUT_WR)
    return Case(client.receive, (client,), stack)


@case
async def send_that_waits(stack: ExitStack, engine: str) -> Case:
    client, peer = await awaited_pair(stack, engine)
    came: list[int] = []
    data = bytes(6_000_000)

    def read() -> None:
        came.extend(map(len, iter(lambda: peer.recv(1 << 20), b"")))

    reader = threading.Thread(target=read)
    asyncio.get_running_loop().call_later(0.002, reader.start)

    def check(done: Case) -> Iterator[str]:
        sent = done.results[0] if done.results else client.sent
        client.close()
        if reader.ident is None:
            reader.start()
        reader.join(PATIENCE)
        if sent != sum(came):
            yield f"{sent} bytes were sent, as the object says, and {sum(came)} came"

    return Case(lambda: client.send(data), (client,), stack, check=check)


@case
async def shut_down(stack: ExitStack, engine: str) -> Case:
    client, _ = await awaited_pair(stack, engine)
    return Case(lambda: client.shut_down("both"), (client,), stack)


@case
async def attach_and_detach(stack: ExitStack, engine: str) -> Case:
    client = make_awaited(stack, aio.Client, engine)
    given = socket.create_connection(listener(stack).getsockname()).detach()
    done = Case(lambda: (client.attach(given), client.detach())[1], (client,), stack, [given])
    stack.callback(lambda: socket.close(given) if client.fileno() != given else None)
    return done


@case
async def close_while_a_call_waits(stack: ExitStack, engine: str) -> Case:
    client, _ = await awaited_pair(stack, engine)
    waiting = asyncio.ensure_future(client.receive())
    await asyncio.sleep(0)

    async def call() -> bool:
        client.close()
        await asyncio.wait({waiting}, timeout=PATIENCE)
        return waiting.done()

    def check(done: Case) -> Iterator[str]:
        if done.results == [False]:
            yield "close() has left a call waiting"
        client.close()
        waiting.cancel()

    return Case(call, (), stack, check=check)


async def awaited_tls(stack: ExitStack, engine: str, *, begun: bool = True) -> aio.Client:
    client, peer = await awaited_pair(stack, engine)
    echo_over_tls(stack, peer)
    if begun:
        await client.start_tls(client_context(), **SECURE)
    return client


@case
async def start_tls(stack: ExitStack, engine: str) -> Case:
    client = await awaited_tls(stack, engine, begun=False)
    return Case(lambda: client.start_tls(client_context(), **SECURE), (client,), stack, check=tls_faults)


@case
async def send_over_tls(stack: ExitStack, engine: str) -> Case:
    client = await awaited_tls(stack, engine)
    return Case(lambda: client.send(DATA), (client,), stack, check=tls_faults)


@case
async def receive_over_tls(stack: ExitStack, engine: str) -> Case:
    client = await awaited_tls(stack, engine)
    await client.send(b"x")
    return Case(client.receive, (client,), stack, check=tls_faults)


@case
async def end_tls(stack: ExitStack, engine: str) -> Case:
    client = await awaited_tls(stack, engine)

    async def call() -> None:
        client.shut_down()
        while await client.receive():
            pass
        await client.stop_tls()

    return Case(call, (client,), stack, check=tls_faults)


# -- raising, and cancelling -------------------------------------------------------------------------------------------------


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
