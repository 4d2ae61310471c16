"""A network backend of httpcore, and so of httpx: HTTP and HTTPS over these sockets, from a server on the loopback."""

import select
import ssl
import threading
from contextlib import contextmanager

import httpcore
import trustme

from lifecycle import Server, open_connection


@contextmanager
def told_as(timeout, other):
    try:
        yield
    except OSError as error:
        raise (timeout if isinstance(error, TimeoutError) else other) from error


class Backend(httpcore.NetworkBackend):
    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        with told_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            return Stream(open_connection(host, port, timeout=timeout))


class Stream(httpcore.NetworkStream):
    def __init__(self, client):
        self.client, self.close = client, client.close

    def read(self, max_bytes, timeout=None):
        with told_as(httpcore.ReadTimeout, httpcore.ReadError):
            return self.client.receive(max_bytes, timeout=timeout)

    def write(self, buffer, timeout=None):
        with told_as(httpcore.WriteTimeout, httpcore.WriteError):
            self.client.send(buffer, timeout=timeout)

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        self.client.timeout = timeout
        with told_as(httpcore.ConnectTimeout, httpcore.ConnectError):  # servers of HTTP leave without close_notify
            self.client.start_tls(ssl_context, server_hostname=server_hostname, requires_close_notify=False)
        return self

    def get_extra_info(self, info):  # "is_readable" of an idle connection: its server has ended it
        return bool(self.client.buffered or select.select([self.client], [], [], 0)[0]) if info == "is_readable" else None


def answer(server, context):
    for accepted in server:
        with accepted:
            if context is not None:
                accepted.start_tls(context)
            while accepted.receive():
                accepted.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


authority, serving, asking = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
authority.issue_cert("localhost").configure_cert(serving)
authority.configure_trust(asking)
for scheme, context in (("http", None), ("https", serving)):
    with Server() as server, httpcore.ConnectionPool(asking, network_backend=Backend()) as pool:
        server.create()
        server.listen()
        threading.Thread(target=answer, args=(server, context)).start()
        for path in "one", "two":  # over one connection
            print(scheme, path, pool.request("GET", f"{scheme}://localhost:{server.local_address.port}/{path}").content)
