"""A task reads lines up to the last, and asks a few times more."""

import asyncio


async def answer(reader, writer):
    writer.write(b"line\n" * 300)
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        while await reader.readline():
            pass
        for _ in range(10):
            assert await reader.read() == b""
        for _ in range(200):
            assert await reader.read(0) == b""
        writer.close()
        await writer.wait_closed()


asyncio.run(main())
