"""A thread waits for data, and another one closes its socket."""

import socket
import threading
import time

left, right = socket.socketpair()
reader = threading.Thread(target=lambda: left.recv(1))  # FOUND: race
reader.start()
time.sleep(0.05)
left.close()
right.close()
reader.join()
