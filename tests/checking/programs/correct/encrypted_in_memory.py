"""The handshake of an encrypted connection is asked for, and given up."""

import socket
import ssl

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
with socket.create_server(("127.0.0.1", 0)) as server:
    with context.wrap_socket(socket.create_connection(server.getsockname()), do_handshake_on_connect=False) as client:
        print(client)
        client.setblocking(False)
        try:
            client.do_handshake()
        except ssl.SSLWantReadError as error:
            print(error)
    with context.wrap_socket(socket.socket(), do_handshake_on_connect=False) as client:
        client.connect(server.getsockname())
