"""Places that lack what most machines have: IPv6, names, /proc, folders to write, capabilities, even a loopback interface."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

LOOPBACK_UP = (
    'python -c \'import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 1))\''
)
READ_ONLY = "for each in / /tmp /var/tmp; do mount --bind $each $each; mount -o remount,bind,ro $each; done"
NO_NAMES = "for each in /etc/hosts /etc/resolv.conf; do mount --bind /dev/null $each; done"

CONVERSES = """
from lifecycle import Accepted, Client, Server, Datagram

def converse(address):
    with Server() as server, Client() as client, Accepted() as accepted:
        server.create(0, address)
        server.listen()
        client.create()
        client.timeout = 5
        client.connect(address, server.local_address[1])
        server.accept(accepted)
        client.send(b"hello")
        assert accepted.receive(5) == b"hello"
    with Datagram() as datagram:
        datagram.create(0, address)
        datagram.send_to(b"hello", address, datagram.local_address[1])
        assert datagram.receive(16) == b"hello"

converse("127.0.0.1")
"""

FAILS = """
import os, socket
from lifecycle import Client

with Client() as client:
    client.create()
    client.timeout = 5
    before = client.state, sorted(os.listdir("/dev/fd"))
    try:
        client.connect("NAME", 9)
    except (OSError, socket.gaierror) as error:
        print(type(error).__name__)
    assert (client.state, sorted(os.listdir("/dev/fd"))) == before, (client.state, before)
"""


@dataclass(frozen=True)
class Place:
    """How a place is prepared in namespaces of its own, and what runs there."""

    prepare: str
    program: str = CONVERSES
    environment: tuple[tuple[str, str], ...] = ()


PLACES = {
    "no_ipv6": Place(f"{LOOPBACK_UP}; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"),
    "no_names": Place(f"{LOOPBACK_UP}; {NO_NAMES}"),
    "a_name_that_nothing_resolves": Place(f"{LOOPBACK_UP}; {NO_NAMES}", FAILS.replace("NAME", "localhost.invalid")),
    "no_proc": Place(f"{LOOPBACK_UP}; mount -t tmpfs none /proc"),
    "nowhere_to_write": Place(
        f"{LOOPBACK_UP}; {READ_ONLY}; cd /",
        environment=(("HOME", "/nowhere"), ("TMPDIR", "/nowhere")),
    ),
    "no_capabilities": Place(f'{LOOPBACK_UP}; exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"'),
    "no_loopback_interface": Place("true", FAILS.replace("NAME", "127.0.0.1")),
}

NAMESPACES = ["unshare", "--user", "--map-root-user", "--net", "--mount"]


def can_make_namespaces() -> bool:
    """Whether this process may make namespaces of its own."""
    made = shutil.which("unshare") and subprocess.run([*NAMESPACES, "true"], capture_output=True, timeout=30, check=False)
    return bool(made) and made.returncode == 0


@pytest.mark.skipif(not can_make_namespaces(), reason="this process may not make namespaces")
@pytest.mark.parametrize("checker", [[], ["-m", "lifecycle", "run"]], ids=["plain", "checked"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_sockets_work_in_bare_places(place: Place, checker: list[str], tmp_path: Path) -> None:
    """A conversation runs, or a clear error keeps state and descriptors; the checker reports nothing, and ends with 0."""
    program = tmp_path / "program.py"
    program.write_text(place.program)
    script = f'set -e; {place.prepare}; exec "$@"'
    command = [*NAMESPACES, "sh", "-c", script, "sh", sys.executable, *checker, str(program)]
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": paths, **dict(place.environment)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=50, env=environment, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
