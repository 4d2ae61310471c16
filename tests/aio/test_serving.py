"""serve(): a task per connection, a limit on how many, and an end to all of them; connections when descriptors run out."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, islice

import anyio
import pytest
from event_loops import on_every_loop
from loopback import HOST, SHORT, open_descriptors, reset
from serving import connected, echo, listening, served

from lifecycle import IllegalCall, aio


@on_every_loop
async def test_each_connection_has_a_task() -> None:
    """Connections are handled at the same time, and each is closed when its handler ends."""
    async with served(echo) as server:
        clients = [await connected(server) for _ in range(20)]
        for number, client in enumerate(clients):
            await client.send(b"%d" % number)
        for number, client in reversed(list(enumerate(clients))):
            assert await client.receive() == b"%d" % number
            client.shut_down()
            assert await client.receive() == b""
            client.close()


@on_every_loop
async def test_cancelling_closes_all() -> None:
    """When serve() is cancelled every connection is closed, and the server listens on: it may serve again."""
    async with listening() as server:
        before = open_descriptors()
        clients = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, echo)
            for _ in range(5):
                clients.append(await connected(server))
                await clients[-1].send(b"x")
                await clients[-1].receive()
            tasks.cancel_scope.cancel()
        for client in clients:
            assert await client.receive() == b""
            client.close()
        assert open_descriptors() == before
        assert server.state == "listening"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, echo)
            async with await connected(server) as client:
                await client.send(b"again")
                assert await client.receive() == b"again"
            tasks.cancel_scope.cancel()


@on_every_loop
async def test_closing_the_server_ends_serve_after_its_handlers() -> None:
    """close() from another task ends serve(), which waits for the handlers that still run."""
    ended = []
    async with listening() as server:

        async def serve() -> None:
            await server.serve(echo)
            ended.append("serve")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            async with await connected(server) as client:
                await client.send(b"x")
                assert await client.receive() == b"x"
                server.close()
                await anyio.lowlevel.checkpoint()
                assert not ended
                await client.send(b"still there")
                assert await client.receive() == b"still there"
    assert ended == ["serve"]


@on_every_loop
async def test_the_limit_is_kept() -> None:
    """With a limit of 2 the third connection is served when one of the first two has ended."""
    present: list[aio.Accepted] = []

    async def handler(accepted: aio.Accepted) -> None:
        present.append(accepted)
        assert len(present) <= 2
        await accepted.send(await accepted.receive())
        present.remove(accepted)

    async with served(handler, limit=2) as server:
        clients = [await connected(server) for _ in range(6)]
        for number, client in enumerate(clients):
            while len(present) < min(2, len(clients) - number):
                await anyio.sleep(0.001)
            await anyio.sleep(SHORT / 5)
            await client.send(b"x")
            assert await client.receive() == b"x"
            client.close()


@on_every_loop
async def test_a_limit_is_checked() -> None:
    """A limit below 1 is a ValueError, and one that is not an int a TypeError."""
    async with listening() as server:
        for wrong in (0, -1):
            with pytest.raises(ValueError, match="1 or more"):
                await server.serve(echo, limit=wrong)
        for no_int in (1.5, "2", True):
            with pytest.raises(TypeError):
                await server.serve(echo, limit=no_int)  # type: ignore[arg-type, call-overload]


@on_every_loop
async def test_what_accept_raises_is_raised_as_it_is() -> None:
    """serve() of a server that does not listen is refused as accept() is, and in no group; handlers that run are ended."""
    async with aio.Server() as server:
        with pytest.raises(IllegalCall, match=r"Call create\(\), then listen\(\) first"):
            await server.serve(echo)
        await server.create(0, HOST)
        with pytest.raises(IllegalCall, match=r"Call listen\(\) first"):
            await server.serve(echo)

    class Forbidden(aio.Server):
        accepted = 0

        async def accept(self, target: aio.Accepted | None = None) -> aio.Accepted:
            if self.accepted:
                raise PermissionError(errno.EPERM, "by a rule of the system")
            self.accepted = 1
            return await super().accept(target)

    async with Forbidden() as forbidden:
        await forbidden.create(0, HOST)
        forbidden.listen()
        with socket.create_connection(forbidden.get_sock_name()) as peer:
            with pytest.raises(PermissionError):
                await forbidden.serve(echo)
            assert peer.recv(1) == b""


@on_every_loop
async def test_an_error_of_the_network_ends_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    """A reset ends its own connection, is logged, and the others go on; so does a connection that the program closed."""
    kept: list[aio.Accepted] = []

    async def handler(accepted: aio.Accepted) -> None:
        kept.append(accepted)
        while data := await accepted.receive():
            await accepted.send(data)

    with caplog.at_level(logging.INFO, "lifecycle.aio"):
        async with served(handler) as server, await connected(server) as good:
            with ExitStack() as stack:
                bad = stack.enter_context(socket.create_connection(server.get_sock_name()))
                while len(kept) < 2:
                    await anyio.sleep(0.001)
                reset(bad)
                while "reset" not in caplog.text.lower():
                    await anyio.sleep(0.001)
                stack.enter_context(socket.create_connection(server.get_sock_name()))
                while len(kept) < 3:
                    await anyio.sleep(0.001)
                kept[2].close()
                while "ClosedDuringCall" not in caplog.text:
                    await anyio.sleep(0.001)
            await good.send(b"good")
            assert await good.receive() == b"good"


@on_every_loop
async def test_a_fault_of_a_handler_is_raised() -> None:
    """What is not an error of the network ends serve(), in an ExceptionGroup, and everything is closed."""

    async def handler(accepted: aio.Accepted) -> None:
        await accepted.receive()
        raise LookupError("a bug")

    async with listening() as server, await connected(server) as client:
        await client.send(b"x")
        with pytest.raises(ExceptionGroup) as failure:
            await server.serve(handler)
        assert failure.group_contains(LookupError, match="a bug")
        assert await client.receive() == b""
        assert server.state == "closed"  # or the next client would wait for ever (engine/s04)


@on_every_loop
async def test_groups_of_errors_are_looked_into() -> None:
    """A handler that is left by a group of nothing but the network's errors ends its own connection only."""
    seen = []

    async def handler(accepted: aio.Accepted) -> None:
        what = await accepted.receive()
        seen.append(what)
        errors = [ConnectionResetError(), BrokenPipeError()] if what == b"network" else [ConnectionResetError(), KeyError()]
        raise ExceptionGroup("several", errors)

    async with listening() as server:
        async with await connected(server) as one, await connected(server) as two:
            await one.send(b"network")
            with pytest.raises(ExceptionGroup) as failure:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(server.serve, handler)
                    assert await one.receive() == b""
                    await two.send(b"bug")
            assert failure.group_contains(KeyError, depth=None)
        assert seen == [b"network", b"bug"]


@on_every_loop
async def test_errors_are_handed_to_on_error() -> None:
    """on_error, a function or a coroutine function, gets the connection and what its handler was left by; serve() goes on."""
    errors: list[tuple[str, str]] = []

    async def handler(accepted: aio.Accepted) -> None:
        raise LookupError((await accepted.receive()).decode())

    def note(accepted: aio.Accepted, error: Exception) -> None:
        errors.append((accepted.state, str(error)))

    async def note_and_answer(accepted: aio.Accepted, error: Exception) -> None:
        await accepted.send(b"sorry")
        note(accepted, error)

    for on_error, answer in ((note, b""), (note_and_answer, b"sorry")):
        async with served(handler, on_error=on_error) as server:
            for text in ("one", "two"):
                async with await connected(server) as client:
                    await client.send(text.encode())
                    assert await client.receive() == answer
        assert errors == [("connected", "one"), ("connected", "two")]
        errors.clear()


@on_every_loop
async def test_connections_of_a_class_of_ones_own() -> None:
    """`kind` makes the connections of another class."""

    class Shouting(aio.Accepted):
        async def shout(self) -> None:
            async for data in self:
                await self.send(data.upper())

    async with served(Shouting.shout, kind=Shouting) as server, await connected(server) as client:
        await client.send(b"hello")
        assert await client.receive() == b"HELLO"


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@contextmanager
def no_more_descriptors(spare: int) -> Iterator[None]:
    """Only so many more descriptors may be opened."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = (number for number in count() if not is_open(number))
    limit = next(islice(free, spare, None))  # the system gives the lowest numbers that are free
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@on_every_loop
async def test_the_limit_of_the_system_is_told_and_survived(caplog: pytest.LogCaptureFixture) -> None:
    """Where descriptors run out serve() says so, once, with the limit; who waits is served when a connection has ended."""
    async with served(echo) as server:
        with ExitStack() as stack:
            clients = [stack.enter_context(socket.socket()) for _ in range(4)]
            for client in clients:
                client.setblocking(False)
            with no_more_descriptors(2):
                for client in clients:
                    client.connect_ex(server.get_sock_name())
                while "cannot accept" not in caplog.text:
                    await anyio.sleep(0.001)
                assert "RLIMIT_NOFILE" in caplog.text
                for client in clients:  # each that ends makes room for another
                    await anyio.wait_writable(client)
                    client.send(b"x")
                    await anyio.wait_readable(client)
                    assert client.recv(1) == b"x"
                    client.shutdown(socket.SHUT_WR)
                assert caplog.text.count("cannot accept") < len(clients)


@on_every_loop
async def test_running_out_of_descriptors_tells_the_limit() -> None:
    """create(), open() and accept() raise EMFILE with a note that tells the limit; the state stays, and they may be retried."""
    async with listening() as server, aio.Client() as client:
        with socket.create_connection(server.get_sock_name()):
            with no_more_descriptors(0):
                with pytest.raises(OSError, match="open files") as failure:
                    await client.create(0, HOST)
                assert failure.value.errno == errno.EMFILE
                assert "RLIMIT_NOFILE" in failure.value.__notes__[0]
                with pytest.raises(OSError, match="open files") as failure:
                    await server.accept()
                assert "RLIMIT_NOFILE" in failure.value.__notes__[0]
            assert (client.state, server.state) == ("empty", "listening")
            (await server.accept()).close()
