"""A server of asyncio's is closed while it accepts: the program never sees the connection, which a finalizer closes."""

import asyncio
import socket


async def never(reader, writer):
    raise AssertionError("the server was closed")


async def main():
    server = await asyncio.start_server(never, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the loop has accepted, and its task has yet to begin
        server.close()
        await asyncio.sleep(0.01)


asyncio.run(main())
