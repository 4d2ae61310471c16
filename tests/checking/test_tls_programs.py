"""Small programs with TLS: what is found in each, at which line and in which words, and what is left alone."""

from __future__ import annotations

import linecache
import os
import select
import selectors
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from checking.golden import golden, neutral
from checking.test_tls import LIMIT, STRANGER, client_side, server_side
from loopback import Background

from lifecycle.checking import Finding, checked_sockets, secured_memory, tls
from lifecycle.checking.call_sites import kind_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the answers of the system are Linux's")

QUESTIONS = ("getpeercert", "selected_alpn_protocol", "version", "cipher", "get_channel_binding")
FILL = (
    "client.setblocking(False)\ndata = b'a' * 100_000\ntry:\n    while True:\n        client.send(data)\n"
    "except ssl.SSLWantWriteError:\n    pass\n"
)
LATE = "threading.Timer(0.15, server.close).start()\n"

PROGRAMS = {
    "shut for sending": "client.shutdown(socket.SHUT_WR)\nserver.sendall(b'answer')\nclient.recv(100)",
    "shut for receiving": "client.shutdown(socket.SHUT_RD)\nclient.sendall(b'x')",
    "shut for both, then used": "client.shutdown(socket.SHUT_RDWR)\nclient.send(b'x')",
    "shut for both, then read": "client.shutdown(socket.SHUT_RDWR)\nclient.recv(1)",
    "shut and closed": "server.sendall(b'x')\nclient.recv(1)\nclient.shutdown(socket.SHUT_RDWR)\nclient.close()",
    "cut": "server.sendall(b'half')\nserver.close()\nwhile client.recv(100):\n    pass",
    "cut, read into a buffer": "server.close()\nclient.recv_into(bytearray(9))",
    "cut, read into a part of a buffer": "server.close()\nclient.recv_into(bytearray(9), 4)",
    "cut, by read()": "server.close()\nclient.read(9)",
    "cut, by read() without a size": "server.close()\nclient.read()",
    "cut, nothing asked for": "server.close()\nclient.recv_into(bytearray())",
    "cut, and told to the program": "client.suppress_ragged_eofs = False\nserver.close()\nclient.recv(1)",
    "the end is told": "ending = Background(server.unwrap)\nclient.recv(9)\nclient.unwrap()\nending.result()\nclient.close()",
    "the end is told, and both close": "server.setblocking(False)\ntry:\n    server.unwrap()\nexcept ssl.SSLWantReadError:\n"
    "    server.close()\nclient.recv(9)",
    "ended with data unread": "server.sendall(b'greeting')\nclient.recv(1)\nclient.unwrap()",
    "ended with data on its way": "server.sendall(b'greeting')\ntime.sleep(0.02)\nclient.unwrap()",
    "ended, and nobody answers": f"client.settimeout(None)\n{LATE}client.unwrap()",
    "ended, and nobody answers in time": f"client.settimeout(2)\n{LATE}client.unwrap()",
    "waits with data": "server.sendall(b'12345')\nclient.recv(1)\nselect.select([client], [], [], 0.01)\nclient.recv(100)",
    "waits with data, in a tuple": "server.sendall(b'12345')\nclient.recv(1)\nselect.select((server, client), [], [], 0.01)",
    "asks with data": "server.sendall(b'12345')\nclient.recv(1)\nselect.select([client], [], [], 0)",
    "waits by a selector with data": "server.sendall(b'12345')\nwith selectors.DefaultSelector() as waiting:\n"
    "    waiting.register(client, 1)\n    client.recv(1)\n    waiting.select(0.01)\n    client.recv(4)\n"
    "    waiting.select(0.01)",
    "waits to write with data": "server.sendall(b'12345')\nclient.recv(1)\nselect.select([], [client], [], 0)",
    "waits when all is read": "server.sendall(b'12345')\nclient.recv(5)\nselect.select([client], [], [], 0)",
    "waits, and receives a part of a record": (
        "client.recv_into(bytearray(0))\nclient.settimeout(None)\nos.write(server.fileno(), bytes((23, 3, 3, 0, 64)))\n"
        f"select.select([client], [], [])\n{LATE}client.recv(1)"
    ),
    "waits, and receives in time": (
        "client.settimeout(None)\nserver.sendall(b'x')\nselect.select([client], [], [])\nclient.recv(1)\n"
        f"{LATE}client.recv(1)"
    ),
    "receives a part of a record without a wait":
    f"client.settimeout(None)\nos.write(server.fileno(), b'x')\n{LATE}client.recv(1)",
    "detached":
    "client.settimeout(0.01)\nnumber = client.detach()\ntry:\n    client.recv(1)\nexcept OSError:\n    pass\nos.close(number)",
    "closed with tickets unread": "client.sendall(b'all')\nclient.close()",
    "closed unused": "client.close()",
    "closed after an answer": "client.sendall(b'x')\nserver.sendall(b'y')\nclient.recv(1)\nclient.close()",
    "closed by the server": "server.sendall(b'x')\nserver.close()",
    "closed of an older version": "client.sendall(b'all')\nclient.close()",
    "closed after nothing was sent": "client.send(b'')\nclient.close()",
    "the same data again": f"{FILL}with suppress(ssl.SSLWantWriteError):\n    client.send(bytearray(data))",
    "other data again": f"{FILL}with suppress(ssl.SSLWantWriteError):\n    client.send(b'b' * 100_000)",
    "more data behind the same": f"{FILL}with suppress(ssl.SSLWantWriteError):\n    client.send(data + b'b')",
    "more data before the same": f"{FILL}with suppress(ssl.SSLWantWriteError):\n    client.send(b'b' + data)",
    "the beginning of the same data": f"{FILL}with suppress(ssl.SSLWantWriteError, ssl.SSLError):\n    client.send(data[:-1])",
    "less data again": f"{FILL}with suppress(ssl.SSLWantWriteError, ssl.SSLError):\n    client.send(data[1:])",
    "data that differs at its end": f"{FILL}with suppress(ssl.SSLWantWriteError):\n    client.send(data[:-1] + b'b')",
    "one sends while one receives": "first = Background(lambda: client.recv(1))\nuntil(client, False)\nclient.sendall(b'x')\n"
    "server.sendall(b'x')\nfirst.result()",
    "connected again": "try:\n    client.connect(('127.0.0.1', 9))\nexcept ValueError:\n    pass",
    "wrapped again":
    "again = context.wrap_socket(client, server_hostname='localhost', do_handshake_on_connect=False)\nagain.close()",
    "asks when it is up": "\n".join(f"client.{name}()" for name in QUESTIONS),
    "asks before it is up":
    "left, right = socket.socketpair()\nwith right, context.wrap_socket(left, server_hostname='localhost', "
    "do_handshake_on_connect=False) as early:\n"
    + "".join(f"    try:\n        early.{name}()\n    except ValueError:\n        pass\n" for name in QUESTIONS),
    "used after a failed handshake": (
        "left, right = socket.socketpair()\n"
    "accepting = Background(lambda: server_context.wrap_socket(right, server_side=True))\n"
        "early = stranger.wrap_socket(left, server_hostname='localhost', do_handshake_on_connect=False)\n"
        "for call in (early.do_handshake, early.do_handshake, early.unwrap):\n    try:\n        call()\n    except OSError:\n"
        "        pass\ntry:\n    early.send(b'x')\nexcept OSError:\n    pass\ntry:\n    early.recv(1)\nexcept OSError:\n"
    "    pass\n"
        "early.close()\ntry:\n    accepting.result()\nexcept OSError:\n    pass\nright.close()"
    ),
    "does not look at the certificate": (
        "left, right = socket.socketpair()\nopen_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\n"
        "open_context.check_hostname = False\nopen_context.verify_mode = ssl.CERT_NONE\nwith right:\n"
        "    open_context.wrap_socket(left, do_handshake_on_connect=False).close()"
    ),
    "does not wait, and shakes hands at once": (
        "left, right = socket.socketpair()\nleft.setblocking(False)\nwith left, right:\n    try:\n"
        "        context.wrap_socket(left, server_hostname='localhost')\n    except ValueError:\n        pass\n"
    ),
    "shakes hands in accept()": (
        "with socket.create_server(('127.0.0.1', 0)) as plain:\n"
        "    listener = server_context.wrap_socket(plain, server_side=True)\n    name = listener.getsockname()\n"
        "    with listener, socket.create_connection(name) as other:\n        other.sendall(b'no TLS at all')\n"
        "        try:\n            listener.accept()\n        except OSError:\n            pass"
    ),
    "accepts without shaking hands": (
        "with socket.create_server(('127.0.0.1', 0)) as plain:\n"
        "    listener = server_context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)\n"
        "    with listener, socket.create_connection(listener.getsockname()):\n        listener.accept()[0].close()"
    ),
    "a session that is taken too early": (
        "session = client.session\nleft, right = socket.socketpair()\nwith right:\n"
        "    context.wrap_socket(left, server_hostname='localhost', session=session, do_handshake_on_connect=False).close()"
    ),
    "a session that is taken later": (
        "server.sendall(b'x')\nclient.recv(1)\nsession = client.session\nleft, right = socket.socketpair()\nwith right:\n"
        "    context.wrap_socket(left, server_hostname='localhost', session=session, do_handshake_on_connect=False).close()"
    ),
}  # fmt: skip
"""name -> source that uses a client and a server between which TLS is up"""

HANDSHAKE = "    try:\n        secured.do_handshake()\n    except ssl.SSLError:\n        pass"
REFUSED = "incoming.write(b'no TLS at all')\ntry:\n    secured.do_handshake()\nexcept ssl.SSLError:\n"
MEMORY = {
    "wants to read, and nothing is written": f"for _ in range(5):\n{HANDSHAKE}",
    "wants to read twice": f"for _ in range(2):\n{HANDSHAKE}",
    "wants to read when the end is written": f"incoming.write_eof()\nfor _ in range(4):\n{HANDSHAKE}",
    "something arrives in between": f"for _ in range(4):\n    incoming.write(bytes((22,)))\n{HANDSHAKE}",
    "an alert that is not sent": f"{REFUSED}    pass",
    "an alert that is sent": f"{REFUSED}    outgoing.read()",
    "an alert of which nobody takes the error": "incoming.write(b'no TLS at all')\nsecured.do_handshake()",
}
"""name -> source that uses an SSLObject over two memories"""


def found_in(name: str, source: str, program: Callable[[dict[str, object]], object]) -> str:
    """The source with what is found at each line."""
    file = f"/work/tls programs/{name}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    assert kind_of(file).name == "PROGRAM"
    code = compile(source, file, "exec")
    modules = {
        "os": os,
        "select": select,
        "selectors": selectors,
        "socket": socket,
        "ssl": ssl,
        "threading": threading,
        "time": time,
    }
    names: dict[str, object] = {**modules, "Background": Background, "suppress": suppress, "until": until}
    with checked_sockets(open_is_leak=False, strict=True) as findings:
        program({**names, "run": lambda scope: exec(code, scope)})
    lines = []
    for number, line in enumerate(source.splitlines(), 1):
        lines.append(f"{number:3} {line}")
        lines += [f"    {text}" for each in findings if (each.file, each.line) == (file, number) for text in describe(each)]
    lines += [f"  elsewhere: {each.code} {each.place.function}" for each in findings if each.file != file]
    return "\n".join(lines).replace(file, "program.py")


def describe(found: Finding) -> list[str]:
    """A finding in full. Its history is left out: whether a call is noted again depends on the objects of other tests."""
    return [*str(found).splitlines(), f"{found.code} {found.call}"]


def until(client: ssl.SSLSocket, sends: bool) -> None:
    """Wait until a thread sends or receives."""
    end = time.monotonic() + LIMIT
    while sends not in tls.of(client).inside:
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_with_tls_is_judged_as_recorded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of the program has the recorded findings and notes, in their words, and no other has one."""
    monkeypatch.setattr(tls, "LONG", 0.1)

    def program(names: dict[str, object]) -> None:
        left, right = socket.socketpair()
        left.settimeout(LIMIT)
        right.settimeout(LIMIT)
        context, server_context = client_side(), server_side()
        if "older version" in name:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        accepting = Background(lambda: server_context.wrap_socket(right, server_side=True))
        client = context.wrap_socket(left, server_hostname="localhost")
        contexts = {"context": context, "server_context": server_context, "stranger": client_side(STRANGER)}
        with client, accepting.result() as server, suppress(OSError, ValueError):
            names["run"]({**names, **contexts, "client": client, "server": server})  # type: ignore[operator]

    text = neutral(found_in(name, PROGRAMS[name], program), Path("program.py"))
    assert text.splitlines() == golden("tls", name, text).splitlines()


@pytest.mark.parametrize("name", MEMORY)
def test_program_with_memory_is_judged_as_recorded(name: str) -> None:
    """TLS over memory is judged by what it wants and what is left there, at the line that takes the error."""
    assert secured_memory._IN_A_ROW == 3

    def program(names: dict[str, object]) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        scope = {**names, "incoming": incoming, "outgoing": outgoing, "context": client_side()}
        source = "secured = context.wrap_bio(incoming, outgoing, server_hostname='localhost')"
        exec(compile(source, "/work/tls programs/made.py", "exec"), scope)
        with suppress(ssl.SSLError):
            names["run"](scope)  # type: ignore[operator]

    text = neutral(found_in(name, MEMORY[name], program), Path("program.py"))
    assert text.splitlines() == golden("tls", f"memory: {name}", text).splitlines()
