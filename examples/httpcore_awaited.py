"""A network backend of httpcore, and so of httpx, awaited: HTTP and HTTPS over these sockets, on asyncio or trio."""

import select
import ssl
from contextlib import contextmanager
from functools import partial

import anyio
import httpcore
import trustme

from lifecycle import aio


@contextmanager
def told_as(timeout, other, seconds):
    try:
        with anyio.fail_after(seconds):
            yield
    except OSError as error:
        raise (timeout if isinstance(error, TimeoutError) else other) from error


class Backend(httpcore.AsyncNetworkBackend):
    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        with told_as(httpcore.ConnectTimeout, httpcore.ConnectError, timeout):
            return Stream(await aio.open_connection(host, port))


class Stream(httpcore.AsyncNetworkStream):
    def __init__(self, client):
        self.client, self.aclose = client, client.aclose

    async def read(self, max_bytes, timeout=None):
        with told_as(httpcore.ReadTimeout, httpcore.ReadError, timeout):
            return await self.client.receive(max_bytes)

    async def write(self, buffer, timeout=None):
        with told_as(httpcore.WriteTimeout, httpcore.WriteError, timeout):
            await self.client.send(buffer)

    async def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        with told_as(httpcore.ConnectTimeout, httpcore.ConnectError, timeout):  # servers of HTTP leave without close_notify
            await self.client.start_tls(ssl_context, server_hostname=server_hostname, requires_close_notify=False)
        return self

    def get_extra_info(self, info):  # "is_readable" of an idle connection: its server has ended it
        return bool(self.client.buffered or select.select([self.client], [], [], 0)[0]) if info == "is_readable" else None


async def answer(accepted):
    async for _ in accepted:
        await accepted.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


async def main():
    authority, serving, asking = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(serving)
    authority.configure_trust(asking)
    for scheme, context in {"http": None, "https": serving}.items():
        pool = httpcore.AsyncConnectionPool(asking, network_backend=Backend())
        async with aio.Server() as server, anyio.create_task_group() as tasks, pool:
            await server.create()
            server.listen()
            tasks.start_soon(partial(server.serve, answer, tls=context))
            print(scheme, await pool.request("GET", f"{scheme}://localhost:{server.local_address.port}/"))
            server.close()


anyio.run(main)
