"""A thread that waits is woken by shutdown(), and then the socket is closed."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        import threading

        reader = threading.Thread(target=lambda: client.recv(1))
        reader.start()
        client.shutdown(socket.SHUT_RDWR)
        reader.join()
        client.close()
