"""A task reads lines, and does not see that the last one was the last."""

import asyncio


async def answer(reader, writer):
    writer.write(b"only one\n")
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(200):
            await reader.readline()  # FOUND: loss
        writer.close()
        await writer.wait_closed()


asyncio.run(main())
