"""The reader of a closed socket is to be removed, by its number -1."""

import asyncio
import socket


async def main():
    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    left.close()
    right.close()
    try:
        loop.remove_reader(left.fileno())  # FOUND: order
    except ValueError as error:
        print(error)


asyncio.run(main())
