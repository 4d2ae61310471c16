"""A program uses the plain socket that the encrypted one was made from."""

import socket
import ssl

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
with socket.create_server(("127.0.0.1", 0)) as server:
    plain = socket.create_connection(server.getsockname())
    with context.wrap_socket(plain, do_handshake_on_connect=False):
        plain.sendall(b"hello")  # FOUND: order
