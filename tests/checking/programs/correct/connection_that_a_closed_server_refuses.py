"""A server of asyncio's is closed while it accepts: the program never sees the connection, which a finalizer closes."""

import asyncio
import gc
import socket


async def main():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def answer(reader, writer):
        begun.set()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    _, writer = await asyncio.open_connection(*address)
    await begun.wait()  # when the finalizer runs, CPython 3.13 expects that the closed server still has a client
    with socket.create_connection(address):
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the loop has accepted, and its task has yet to begin
        server.close()
        await asyncio.sleep(0.01)
        gc.collect()
    writer.close()
    await writer.wait_closed()
    await ended.wait()


asyncio.run(asyncio.wait_for(main(), 5))
