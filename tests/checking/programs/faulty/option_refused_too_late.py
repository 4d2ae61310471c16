"""The system refuses an option that decides how bind() takes the address, since there is one."""

import socket

if socket.has_ipv6:
    with socket.socket(socket.AF_INET6) as server:
        server.bind(("::1", 0))
        try:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # FOUND: order
        except OSError as error:
            print(error)
