"""An echo server that serves each connection in a task, and clients that talk to it at the same time, with a time-out.

Run it with `python examples/async_echo.py`, on trio with `python examples/async_echo.py trio`.
"""

import sys

import anyio

from lifecycle import aio

HOST = "127.0.0.1"


async def echo(accepted: aio.Accepted) -> None:
    """Send everything back, until the other side has ended its stream."""
    async for data in accepted:
        await accepted.send(data)


async def talk(port: int, words: list[str]) -> None:
    """Ask, and print the answers."""
    async with aio.Client() as client:
        await client.create()
        await client.connect(HOST, port)
        for word in words:
            with anyio.fail_after(5):  # a time-out is a cancel scope, around whatever it is for
                await client.send(word.encode())
                answer = await client.receive()
            print(f"sent {word!r}, got {answer.decode()!r}")
        client.shut_down()
        assert await client.receive() == b""
        print(f"the client is {client.state}")  # ended: both sides have ended their streams


async def main() -> None:
    async with aio.Server() as server, anyio.create_task_group() as tasks:
        await server.create(0, HOST)
        server.listen()
        tasks.start_soon(server.serve, echo)
        async with anyio.create_task_group() as clients:
            for words in (["hello", "goodbye"], ["one", "two"]):
                clients.start_soon(talk, server.get_sock_name().port, words)
        tasks.cancel_scope.cancel()  # serve() closes what is still open


if __name__ == "__main__":
    anyio.run(main, backend=sys.argv[1] if len(sys.argv) > 1 else "asyncio")
