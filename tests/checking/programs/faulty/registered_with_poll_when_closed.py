"""poll() goes on with the number of a socket that was closed."""

import select
import socket

polled = select.poll()
left, right = socket.socketpair()
polled.register(left, select.POLLIN)
left.close()  # FOUND: order
print(polled.poll(1))
right.close()
