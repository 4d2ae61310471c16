"""A connection is made in a task, and forgotten; asyncio's finalizer warns and closes it."""

import asyncio
import gc


async def serve(reader, writer):
    await reader.read()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    await asyncio.wait_for(asyncio.open_connection(*address), 5)  # FOUND: leak
    gc.collect()
    await asyncio.sleep(0.05)
    server.close()


asyncio.run(main())
