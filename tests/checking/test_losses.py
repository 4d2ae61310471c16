"""What is lost by a legal call: the rest of a send, time after the end, data before a close, an option that comes too late."""

from __future__ import annotations

import array
import linecache
import socket
import struct
import sys

import pytest
from checking.golden import golden
from loopback import LONG

from lifecycle.checking import checked_sockets
from lifecycle.roles.python.words import ENDS_OF_A_LOOP

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what the system takes and resets is Linux's")

SENDS = (
    "a.send(data)", "n = a.send(data)", "a.send(b'x')", "a.send(b'')", "assert a.send(data)", "[a.send(data)]",
    "print(a.send(data))", "a.send(memoryview(data))", "a.send(wide)", "a.send(data, socket.MSG_NOSIGNAL)", "a.sendmsg([data])",
    "a.sendmsg((b'x', data))", "a.sendmsg([b'x', b'y'])", "a.sendmsg([data, b'x'])", "a.sendmsg(iter([data]))",
    "a.sendmsg([wide])", "a.sendmsg([])", "n = a.sendmsg([data])", "(lambda: a.send(data))()",
)  # fmt: skip
"""calls of a socket that takes a part of the data only"""

OTHERS = {
    "the end, up to the limit": f"b.close()\nfor _ in range({ENDS_OF_A_LOOP + 1}):\n    a.recv(1)",
    "the end, below the limit": f"b.close()\nfor _ in range({ENDS_OF_A_LOOP}):\n    a.recv(1)",
    "the end, again and again": f"b.close()\nfor _ in range({3 * ENDS_OF_A_LOOP}):\n    a.recv_into(bytearray(1))",
    "the end, at two lines": f"b.close()\nfor _ in range({ENDS_OF_A_LOOP}):\n    a.recv(1)\n    a.recv(1)",
    "the end, nothing asked for": f"b.close()\nfor _ in range({ENDS_OF_A_LOOP}):\n    a.recv(0)",
    "the end, when data came before": f"b.send(b'xyz')\nb.close()\nfor _ in range({ENDS_OF_A_LOOP + 4}):\n    a.recv(1)",
    "closed with all read": "b.send(b'x')\na.recv(1)\na.send(data)\na.close()",
    "closed with data unread, and none on its way": "b.send(b'x')\na.close()",
    "closed with data unread, and some on its way": "b.send(b'x')\nn = a.send(data)\na.close()",
    "closed by intent with a reset": (
        "a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\nb.send(b'x')\nn = a.send(data)\na.close()"
    ),
    "closed after a wait that was asked for": (
        "a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 1))\nb.send(b'x')\nn = a.send(data)\n"
    "b.close()\n"
        "a.close()"
    ),
    "closed with another object over it": "c = a.dup()\nb.send(b'x')\nn = a.send(data)\na.close()\nc.close()",
    "an option of a listener":
    "s = socket.create_server(('127.0.0.1', 0))\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
    "s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\ns.close()",
    "an option in time":
    "s = socket.socket()\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ns.bind(('127.0.0.1', 0))\n"
    "s.close()",
    "an option too late":
    "s = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
    "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, True)\ns.close()",
    "wrong arguments of an option": "try:\n    a.setsockopt(1, 2)\nexcept TypeError:\n    pass",
}  # fmt: skip
"""name -> source over a connection of TCP, whose ends are a and b"""

DATA = {"data": bytes(10_000_000), "wide": array.array("Q", bytes(8_000_000))}
"""more than the system takes at once"""

PROGRAMS = {**{f"sends: {call}": call for call in SENDS}, **OTHERS}


@pytest.mark.parametrize("name", PROGRAMS)
def test_loss_is_found_as_recorded(name: str) -> None:
    """Each line has the recorded findings; a result that is used, and data that all went, are no loss."""
    source = PROGRAMS[name]
    file = f"/work/losses/{name.replace('/', ' ')}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names = {**DATA, "print": id, "socket": socket, "struct": struct}
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        checked_sockets(open_is_leak=False) as findings,
        socket.create_connection(server.getsockname()) as a,
        server.accept()[0] as b,
    ):
        a.setblocking(False)
        b.settimeout(LONG)
        exec(compile(source, file, "exec"), {**names, "a": a, "b": b})
    lines = []
    for number, line in enumerate(source.splitlines(), 1):
        lines.append(f"{number:3} {line}")
        at_line = [each for each in findings if (each.file, each.line) == (file, number)]
        lines += [f"    {text}" for each in at_line for text in (f"{each.code} {each.call}", *str(each).splitlines())]
    text = "\n".join(lines).replace(file, "program.py")
    assert text.splitlines() == golden("losses", name, text).splitlines()
    assert all(each.file == file for each in findings)
