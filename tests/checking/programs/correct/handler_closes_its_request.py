"""A handler closes the connection itself, and the server shuts it down afterwards."""

import socket
import socketserver
import threading


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"answer")
        self.request.close()


with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    with socket.create_connection(server.server_address) as client:
        assert client.recv(100) == b"answer"
    thread.join()
