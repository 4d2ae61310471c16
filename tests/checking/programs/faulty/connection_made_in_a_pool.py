"""A pool of threads connects, a thread and a timer do, and nobody closes the connections."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
    address = server.getsockname()
    pool.submit(time.sleep, 0).result()
    socket.create_connection(address).close()
    made = pool.submit(socket.create_connection, address)  # FOUND: leak
    assert made.result().fileno() >= 0
    thread = threading.Thread(target=socket.create_connection, args=[address])
    thread.start()  # FOUND: leak
    thread.join()
    del made
