"""A server of the newer protocol, where there is one."""

import socket

if socket.has_dualstack_ipv6():
    with (
        socket.create_server(("::1", 0), family=socket.AF_INET6) as server,
        socket.create_connection(server.getsockname()[:2]) as client,
    ):
        connection, _ = server.accept()
        with connection:
            client.sendall(b"hello")
            assert connection.recv(100) == b"hello"
