"""send() takes a part, and the rest follows."""

import socket
import threading

left, right = socket.socketpair()
got = []
reader = threading.Thread(target=lambda: [got.append(len(data)) for data in iter(lambda: right.recv(1 << 20), b"")])
reader.start()
left.settimeout(5)
rest = memoryview(bytes(5_000_000))
while rest:
    rest = rest[left.send(rest) :]
left.close()
reader.join()
right.close()
print(sum(got))
