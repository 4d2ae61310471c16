"""Packets with acknowledgements through archives: a header, some data, a flush, and the answer before the next packet.

Run it with `python examples/packets.py`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from lifecycle import Accepted, Archive, Client, Server, SocketFile
from lifecycle.archive import BYTE, WORD

HOST = "127.0.0.1"
PACKETS = ((0x2A, 3), (0x00, 0), (0xFF, 1000))  # what is sent, and how many of it


@contextmanager
def archives(socket: Client | Accepted) -> Iterator[tuple[Archive, Archive]]:
    """The two archives of a full-duplex connection, over one file: what comes in and what goes out."""
    with SocketFile(socket) as file, Archive(file, "load") as incoming, Archive(file, "store") as outgoing:
        yield incoming, outgoing


def send(socket: Client) -> None:
    """Send every packet, and wait for the acknowledgement of each."""
    with archives(socket) as (acknowledgements, data):
        for value, count in PACKETS:
            data << BYTE(value) << WORD(count)
            for _ in range(count):
                data << BYTE(value)
            data.flush()  # nothing leaves before: without it, both sides would wait for ever
            acknowledged = acknowledgements >> WORD
            print(f"sender: {count} of {value:#04x}, {acknowledged} acknowledged")


def receive(server: Server) -> str:
    """Take every packet of one connection, and acknowledge each with the number of items that were right; a report."""
    with server.accept() as accepted, archives(accepted) as (data, acknowledgements):
        for _ in PACKETS:
            value, count = data >> BYTE, data >> WORD
            right = sum((data >> BYTE) == value for _ in range(count))
            acknowledgements << WORD(right)
            acknowledgements.flush()
        return f"receiver: {data.offset} bytes came in, {acknowledgements.offset} went out"


def main() -> None:
    with Server(timeout=10) as server, Client(timeout=10) as client, ThreadPoolExecutor() as threads:
        server.create(0, HOST)
        server.listen()
        report = threads.submit(receive, server)
        client.create(0, HOST)
        client.connect(*server.get_sock_name())
        send(client)
        print(report.result())


if __name__ == "__main__":
    main()
