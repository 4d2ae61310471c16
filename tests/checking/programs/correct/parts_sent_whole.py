"""sendmsg() takes all of its parts; or a part, and the program sends the rest."""

import array
import socket

left, right = socket.socketpair()
for _ in range(3):
    left.sendmsg([b"head", memoryview(b"body"), array.array("i", range(4))])
    left.sendmsg(part for part in (b"once",))
left.setblocking(False)
sent = left.sendmsg([b"head", bytes(10_000_000)])
print(sent < 10_000_004)
left.close()
right.close()
