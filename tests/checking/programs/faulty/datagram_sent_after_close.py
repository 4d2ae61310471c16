"""A program that sends by a datagram transport that it has closed."""

import asyncio


class Protocol(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set_result(None)


async def main() -> None:
    loop = asyncio.get_running_loop()
    errors: list[object] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    transport, protocol = await loop.create_datagram_endpoint(Protocol, local_addr=("127.0.0.1", 0))
    address = transport.get_extra_info("sockname")
    transport.close()
    await protocol.closed
    await asyncio.sleep(0)
    try:
        transport.sendto(b"late", address)  # FOUND: loss
    except AttributeError as error:
        errors.append(error)


asyncio.run(main())
