"""A server of one thread serves several clients."""

import selectors
import socket

with selectors.DefaultSelector() as selector, socket.create_server(("127.0.0.1", 0)) as server:
    server.setblocking(False)
    selector.register(server, selectors.EVENT_READ)
    clients = [socket.create_connection(server.getsockname()) for _ in range(3)]
    for client in clients:
        client.sendall(b"ping")
        client.shutdown(socket.SHUT_WR)
    left = len(clients)
    while left:
        for key, _ in selector.select(5):
            if key.fileobj is server:
                connection, _ = server.accept()
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_READ)
            elif data := key.fileobj.recv(100):
                key.fileobj.sendall(data)
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                left -= 1
    for client in clients:
        assert client.recv(100) == b"ping"
        client.close()
