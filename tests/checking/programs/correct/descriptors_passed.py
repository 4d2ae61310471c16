"""A descriptor is passed through a local socket."""

import socket

left, right = socket.socketpair(socket.AF_UNIX)
with left, right, socket.create_server(("127.0.0.1", 0)) as server:
    socket.send_fds(left, [b"x"], [server.fileno()])
    _, numbers, _, _ = socket.recv_fds(right, 10, 1)
    with socket.socket(fileno=numbers[0]) as same, socket.create_connection(same.getsockname()):
        same.accept()[0].close()
