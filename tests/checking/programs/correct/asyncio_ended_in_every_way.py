"""Transports and streams of asyncio that are closed or aborted, made in tasks and directly."""

import asyncio


async def serve(reader, writer):
    await reader.read()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    loop = asyncio.get_running_loop()
    stream, _ = await asyncio.wait_for(loop.create_connection(asyncio.Protocol, *address), 5)
    datagram, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
    _, writer = await asyncio.create_task(asyncio.open_connection(*address))
    stream.abort()
    datagram.close()
    writer.close()
    server.close()
    await asyncio.sleep(0.05)


asyncio.run(main())
