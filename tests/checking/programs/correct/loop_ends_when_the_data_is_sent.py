"""A closed writer is awaited before the event loop ends."""

import asyncio
import socket
import threading

listener = socket.create_server(("127.0.0.1", 0))
is_closed = threading.Event()


def serve() -> None:
    peer, _ = listener.accept()
    with peer:
        is_closed.wait(10)
        while peer.recv(65536):
            pass


async def main() -> None:
    _, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(bytes(20_000_000))
    writer.close()
    is_closed.set()
    await writer.wait_closed()


thread = threading.Thread(target=serve)
thread.start()
asyncio.run(main())
thread.join()
listener.close()
