"""A server is closed before its loop is stopped."""

import socketserver
import threading
import time

server = socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler)
thread = threading.Thread(target=server.serve_forever, args=(0.01,))
thread.start()
time.sleep(0.05)
server.server_close()  # FOUND: order
time.sleep(0.05)
server.shutdown()
thread.join()
