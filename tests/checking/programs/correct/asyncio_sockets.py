"""asyncio's own socket calls."""

import asyncio
import socket


async def main():
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        server.setblocking(False)
        client.setblocking(False)
        (connection, _), _ = await asyncio.gather(loop.sock_accept(server), loop.sock_connect(client, server.getsockname()))
        with connection:
            await loop.sock_sendall(client, b"hello")
            assert await loop.sock_recv(connection, 100) == b"hello"


asyncio.run(main())
