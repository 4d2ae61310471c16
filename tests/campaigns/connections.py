"""How many connections a server with a waiting thread for each reaches under a descriptor limit, beside plain sockets.

`python -m tests.campaigns.connections [LIMIT]`: exits with 1 below 95 %.
"""

from __future__ import annotations

import subprocess
import sys

MOST_WAKERS = 8

SERVER = """
import resource, socket, subprocess, sys, threading
from lifecycle import Server
kind, limit = sys.argv[1], int(sys.argv[2])
threading.stack_size(1 << 17)
server = Server(timeout=3) if kind == "lifecycle" else socket.socket()
if kind == "lifecycle":
    server.create(0, "127.0.0.1")
    server.listen(limit)
    port = server.local_address.port
else:
    server.bind(("127.0.0.1", 0))
    server.listen(limit)
    server.settimeout(3)
    port = server.getsockname()[1]
clients = subprocess.Popen([sys.executable, "-c", sys.argv[3], str(port), str(limit)], stdin=subprocess.PIPE)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
broken, connections = [], []
def serve(connection):
    try:
        connection.receive() if kind == "lifecycle" else connection.recv(1)
    except Exception as error:
        broken.append(error)
try:
    while True:
        connection = server.accept() if kind == "lifecycle" else server.accept()[0]
        if kind == "lifecycle":
            connection.timeout = None
        else:
            connection.settimeout(None)
        connections.append(connection)
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
except OSError:
    pass
print(len(connections) - len(broken), flush=True)
clients.kill()
sys.stdout.flush()
import os
os._exit(0)
"""

CLIENTS = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
kept = []
try:
    for _ in range(int(sys.argv[2])):
        kept.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
except OSError:
    pass
sys.stdin.read()
"""


def reached(limit: int) -> tuple[int, int]:
    """(connections of this package, those of plain sockets) under a limit of so many descriptors."""
    found = []
    for kind in ("lifecycle", "plain"):
        command = (sys.executable, "-c", SERVER, kind, str(limit), CLIENTS)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        found.append(int(done.stdout))
    return found[0], found[1]


def main() -> int:
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    ours, plain = reached(limit)
    print(f"limit {limit}: {ours} connections, plain sockets {plain}: {ours / plain:.1%}")
    return 0 if ours >= 0.95 * plain else 1


if __name__ == "__main__":
    sys.exit(main())
