"""Streams and datagram transports that are closed behind their last write, and asked whether they are closing."""

import asyncio


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    if not writer.is_closing():
        writer.write(b"answer")
    writer.close()


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"question")
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    transport.sendto(b"last", transport.get_extra_info("sockname"))
    transport.close()
    server.close()
    await server.wait_closed()


asyncio.run(main())
