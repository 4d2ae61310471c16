"""A socket is printed in every state; that asks it for names that it does not have."""

import socket

with socket.socket() as server, socket.socket() as client:
    print(server, client)
    server.bind(("127.0.0.1", 0))
    print(server)
    server.listen()
    print(server)
    client.connect(server.getsockname())
    print(client)
    print(server.accept()[0].close())
print(server, repr(client))
