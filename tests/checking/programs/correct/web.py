"""A web server and a client of it."""

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import urlopen


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"answer")

    def log_message(self, *arguments): ...


with HTTPServer(("127.0.0.1", 0), Handler) as server:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    connection = HTTPConnection(*server.server_address)
    for _ in range(3):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"answer"
    connection.close()
    with urlopen("http://{}:{}".format(*server.server_address)) as answer:
        assert answer.read() == b"answer"
    server.shutdown()
    thread.join()
