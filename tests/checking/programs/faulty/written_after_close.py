"""A program that writes to a stream that it has closed."""

import asyncio


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"one")
    writer.close()
    await writer.wait_closed()
    writer.write(b"two")  # FOUND: loss
    server.close()
    await server.wait_closed()


asyncio.run(main())
