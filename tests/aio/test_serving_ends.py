"""serve(): a grace for its handlers, start(), whose error it was, and aclose()."""

from __future__ import annotations

import logging
import socket
from functools import partial
from typing import Any

import anyio
import pytest
from event_loops import on_every_loop
from loopback import HOST, reset
from serving import connected, echo, listening, served

from lifecycle import IllegalCall, aio


@on_every_loop
@pytest.mark.parametrize("ends", ["by cancelling", "by closing"])
async def test_a_grace_lets_handlers_end(ends: str, caplog: pytest.LogCaptureFixture) -> None:
    """Handlers go on for the grace, which ends early when they do; nobody is accepted meanwhile; the rest is cut."""
    async with listening() as server, await connected(server) as brief, await connected(server) as endless:
        async with anyio.create_task_group() as tasks:
            await tasks.start(partial(server.serve, echo, grace=0.1))
            for client in (brief, endless):
                await client.send(b"x")
                assert await client.receive() == b"x"
            server.close() if ends == "by closing" else tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True), anyio.fail_after(5):
                await brief.send(b"still served")
                assert await brief.receive() == b"still served"
                brief.shut_down()
                assert await brief.receive() == b""
                assert await endless.receive() == b""
        assert server.is_over
    assert caplog.text.count("0.1 seconds of grace") == 1


@on_every_loop
async def test_a_drain_ends_with_the_last_handler() -> None:
    """serve() returns as soon as the handlers have ended, long before the grace has passed."""
    with anyio.fail_after(5):
        async with listening() as server, anyio.create_task_group() as tasks:
            await tasks.start(partial(server.serve, echo, grace=600))
            async with await connected(server) as client:
                await client.send(b"x")
                assert await client.receive() == b"x"
                server.close()


@on_every_loop
async def test_the_least_grace_and_limit() -> None:
    """No second of grace and one connection at a time are taken; less is refused, and nothing is served."""
    async with listening() as server, anyio.create_task_group() as tasks:
        for wrong in ({"grace": -0.1}, {"grace": float("nan")}, {"limit": 0}):
            with pytest.raises(ValueError, match="or more"):
                await server.serve(echo, **wrong)
        await tasks.start(partial(server.serve, echo, grace=0, limit=1))
        server.close()


@on_every_loop
async def test_a_fault_ends_the_grace() -> None:
    """A fault of one handler ends the others at once: the grace is for the end of serving, not for the end by a bug."""

    async def handler(accepted: aio.Accepted) -> None:
        if await accepted.receive() == b"bug":
            raise LookupError("a bug")
        await anyio.sleep_forever()

    with anyio.fail_after(5):
        async with listening() as server, await connected(server) as one, await connected(server) as two:
            await one.send(b"x")
            await two.send(b"bug")
            with pytest.raises(ExceptionGroup) as failure:
                await server.serve(handler, grace=600)
            assert failure.group_contains(LookupError, match="a bug")
            assert await one.receive() == b""


@pytest.mark.parametrize("grace", ["1", True, -1, float("nan")])
def test_a_grace_is_checked(grace: Any) -> None:
    """TypeError for what is not a number of seconds, ValueError for what is below 0."""

    async def serve() -> None:
        async with listening() as server:
            with pytest.raises(ValueError if type(grace) in (int, float) else TypeError, match="grace is"):
                await server.serve(echo, grace=grace)

    anyio.run(serve)


@on_every_loop
async def test_start_returns_when_connections_are_accepted() -> None:
    """A task group's start() returns for a server that listens, and raises what serve() raises for another."""
    async with aio.Server() as server, anyio.create_task_group() as tasks:
        await server.create(0, HOST)
        with pytest.raises(IllegalCall):
            await tasks.start(server.serve, echo)
        server.listen()
        await tasks.start(server.serve, echo)
        async with await connected(server) as client:
            await client.send(b"x")
            assert await client.receive() == b"x"
        server.close()


async def missing_file(accepted: aio.Accepted) -> None:
    open("/no/such/settings.json").close()


async def dead_backend(accepted: aio.Accepted) -> None:
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        async with aio.Client() as backend:
            await backend.create()
            await backend.connect(*nobody.getsockname())


async def dead_raw_backend(accepted: aio.Accepted) -> None:
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        socket.create_connection(nobody.getsockname())


@on_every_loop
@pytest.mark.parametrize("handler", [missing_file, dead_backend, dead_raw_backend])
async def test_an_error_of_something_else_is_the_programs(handler: Any) -> None:
    """A missing file, or a backend that refuses, is not what the network did to the connection: it is raised."""
    async with listening() as server, await connected(server):
        with pytest.raises(ExceptionGroup) as failure:
            await server.serve(handler)
        assert failure.group_contains((FileNotFoundError, ConnectionRefusedError))


@on_every_loop
async def test_what_was_raised_from_the_networks_error_is_the_networks(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that was raised from a reset of the connection ends that connection; so does a time-out around a call."""
    ended = []

    async def handler(accepted: aio.Accepted) -> None:
        try:
            with anyio.fail_after(0.02 if not ended else 5):
                await accepted.receive()
        except ConnectionResetError as error:
            raise LookupError("cut short") from error
        finally:
            ended.append(accepted)

    with caplog.at_level(logging.INFO, "lifecycle.aio"):
        async with served(handler) as server:
            async with await connected(server) as slow:
                assert await slow.receive() == b""
            reset(socket.create_connection(server.get_sock_name()))
            while "cut short" not in caplog.text:
                await anyio.sleep(0.001)
    assert "TimeoutError" in caplog.text


@on_every_loop
async def test_aclose_closes_although_it_is_cancelled() -> None:
    """aclose() is close() and a checkpoint: what is cancelled there is closed."""
    async with listening() as server:
        client = await connected(server)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await client.aclose()
        assert client.is_over
        await server.aclose()
        assert server.is_over
