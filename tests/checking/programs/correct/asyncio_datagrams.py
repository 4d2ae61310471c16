"""Datagrams of asyncio, with a peer and without one."""

import asyncio


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


class Question(asyncio.DatagramProtocol):
    def __init__(self, answer):
        self.answer = answer

    def connection_made(self, transport):
        transport.sendto(b"question")

    def datagram_received(self, data, address):
        self.answer.set_result(data)


async def main():
    loop = asyncio.get_running_loop()
    echo, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    answer = loop.create_future()
    asking, _ = await loop.create_datagram_endpoint(lambda: Question(answer), remote_addr=echo.get_extra_info("sockname"))
    assert await asyncio.wait_for(answer, 5) == b"question"
    asking.close()
    echo.close()


asyncio.run(main())
