"""One thread sends while another one receives."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection:
        import threading

        reader = threading.Thread(target=lambda: [connection.recv(100) for _ in range(50)])
        reader.start()
        for _ in range(50):
            client.sendall(b"x" * 100)
        client.shutdown(socket.SHUT_WR)
        reader.join()
