"""A thread waits in select() without a time-out, and another one closes its socket."""

import select
import socket
import threading
import time

left, right = socket.socketpair()
reader = threading.Thread(target=lambda: select.select([left], [], []))  # FOUND: race
reader.start()
time.sleep(0.05)
left.close()
time.sleep(0.3)
right.close()
reader.join()
