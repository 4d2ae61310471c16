"""A server and a client of asyncio."""

import asyncio


async def answer(reader, writer):
    writer.write(await reader.read())
    writer.write_eof()
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"question")
        writer.write_eof()
        assert await reader.read() == b"question"
        writer.close()
        await writer.wait_closed()


asyncio.run(main())
