"""The socket of asyncio's streams is closed under them."""

import asyncio
import socket


async def main():
    left, right = socket.socketpair()
    left.setblocking(False)
    _, writer = await asyncio.open_connection(sock=left)
    left.close()  # FOUND: order
    await asyncio.sleep(0.01)
    writer.close()
    right.close()


asyncio.run(main())
