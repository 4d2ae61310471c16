"""The event loop ends while a closed writer still has data."""

import asyncio
import socket
import threading

listener = socket.create_server(("127.0.0.1", 0))
is_over = threading.Event()


def serve() -> None:
    peer, _ = listener.accept()
    with peer:
        is_over.wait(10)


async def main() -> None:
    _, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(bytes(20_000_000))
    writer.close()  # FOUND: tls


thread = threading.Thread(target=serve)
thread.start()
asyncio.run(main())
is_over.set()
thread.join()
listener.close()
