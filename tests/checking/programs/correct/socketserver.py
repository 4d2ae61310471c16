"""A server of the standard library, its handler, and a client."""

import socket
import socketserver
import threading


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.readline().upper())


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with socket.create_connection(server.server_address) as client:
        client.sendall(b"question\n")
        assert client.recv(100) == b"QUESTION\n"
    server.shutdown()
    thread.join()
