"""What is read of source in each order of statements: the mistakes on all paths and on some, and how much was followed."""

from __future__ import annotations

import pytest
from checking.golden import golden
from checking.source.test_reading import HEADER, RIGHT, WRONG

from lifecycle.checking.formats.writers import as_text
from lifecycle.checking.source.problems import problem_of
from lifecycle.checking.source.reading import read_source

PATHS = {
    "either of two sockets": "s = socket.socket() if x else socket.create_connection(y)\ns.send(b'')\ns.close()\ns.send(b'')",
    "either socket of an `or`": "a = socket.socket()\nb = socket.socket()\nb.close()\ns = x or a or b\ns.send(b'')",
    "the right side of an `and` may not run": "s = socket.socket()\nx and s.close()\ns.bind(y)",
    "the second right side of an `and` may not run": "s = socket.socket()\nx and y and s.close()\ns.bind(y)",
    "the right side of an `or` is read": "s = socket.socket()\ns.close()\nx or y or s.send(b'')",
    "an inner `try` takes the error": (
        "s = socket.socket()\ntry:\n    try:\n        s.close()\n        x()\n    except OSError:\n        pass\n"
        "    y()\nexcept ValueError:\n    s.send(b'')\ns.send(b'')"
    ),
    "the error of an inner `try` goes on": (
        "s = socket.socket()\ntry:\n    s.bind(x)\n    try:\n        s.close()\n        x()\n    finally:\n        y()\n"
        "except OSError:\n    s.listen()\ns.bind(x)"
    ),
    "an error in a handler goes on": (
        "s = socket.socket()\ntry:\n    try:\n        x()\n    except KeyError:\n        s.close()\n        raise\n"
        "except ValueError:\n    s.bind(x)\ns.bind(x)"
    ),
    "an error of what is called behind a close": (
        "s = socket.socket()\ntry:\n    s.close()\n    x()\nexcept OSError:\n    s.bind(y)"
    ),
    "an older object of the same line": (
        "s = None\nwhile x:\n    t = s\n    s = socket.socket()\n    s.close()\n    t.send(b'')\n    s.send(b'')"
    ),
    "wrap_socket of one of two": (
        "a = socket.socket()\nb = socket.socket()\ns = a if x else b\nt = c.wrap_socket(s)\na.accept()\nt.close()\nt.send(b'')"
    ),
    "a call on what an expression makes": "socket.create_connection(x).listen()\nx(socket.socket().accept())",
    "a farewell whose handler closes first": (
        "def f(self):\n    try:\n        self.s.shutdown(2)\n        self.s.close()\n    except OSError:\n"
        "        self.s.close()\n        x()"
    ),
    "a bare handler takes all": (
        "s = socket.socket()\ntry:\n    try:\n        s.close()\n        x()\n    except:\n        s = socket.socket()\n"
        "except ValueError:\n    s.bind(x)\ns.bind(x)"
    ),
    "an `else` runs where nothing was raised": (
        "s = socket.socket()\ntry:\n    x()\nexcept OSError:\n    pass\nelse:\n    s.close()\ns.bind(x)"
    ),
    "a `finally` runs on every way": (
        "s = socket.socket()\ntry:\n    x()\nexcept OSError:\n    y()\nelse:\n    z()\nfinally:\n    s.close()\ns.bind(x)"
    ),
    "a `finally` runs before return": (
        "def f():\n    s = socket.socket()\n    try:\n        return s\n    finally:\n        s.close()\ns = f()\ns.bind(x)"
    ),
    "`with` closes before return": (
        "def f():\n    with socket.socket() as s:\n        if x:\n            return s\n        y()\n    return s\n"
        "s = f()\ns.bind(x)"
    ),
    "`with` closes before an error goes on": (
        "s = socket.socket()\ntry:\n    with s:\n        x()\nexcept OSError:\n    s.bind(x)\ns.bind(x)"
    ),
    "two of one `with`": (
        "with socket.socket() as a, socket.socket() as b:\n    a.bind(x)\n    b.close()\na.bind(x)\nb.bind(x)"
    ),
    "`with` in a loop that breaks": (
        "while True:\n    with socket.socket() as s:\n        if x():\n            break\n        if y():\n"
        "            continue\n        s.bind(x)\ns.bind(x)"
    ),
    "a loop that breaks": (
        "s = socket.socket()\nfor n in x:\n    if n:\n        s.close()\n        break\nelse:\n    s.close()\ns.bind(x)"
    ),
    "a loop that may not run": "s = socket.socket()\nfor n in x:\n    s.close()\ns.bind(x)",
    "a loop that continues": (
        "s = socket.socket()\nwhile x:\n    s.bind(y)\n    if y:\n        continue\n    s.close()\n    s = socket.socket()"
    ),
    "an endless loop ends by break alone": (
        "s = socket.socket()\nwhile True:\n    if x():\n        s.close()\n        break\ns.bind(x)"
    ),
    "a loop in a loop": (
        "for n in x:\n    s = socket.socket()\n    for m in y:\n        s.close()\n        if m:\n            break\n"
        "    s.bind(n)"
    ),
    "the test of a loop": "s = socket.socket()\ns.close()\nwhile s.recv(1):\n    pass",
    "cases of a match": (
        "s = socket.socket()\nmatch x:\n    case 1:\n        s.close()\n    case _:\n        s.close()\ns.bind(x)"
    ),
    "every operand is read": (
        "a, b = socket.socketpair()\nc, d = socket.socketpair()\ne, f = socket.socketpair()\ng, h = socket.socketpair()\n"
        "for s in (a.close(), b.close(), c.close(), d.close(), e.close(), f.close(), g.close(), h.close()):\n    pass\n"
        "x = [a.recv(1), {b.send(b''): 1}, {c.recv(2)}, -d.recv(3),\n"
        "     f'{e.recv(4)}', f.recv(5) + 1, x[g.recv(6)], 0 < 1 < h.recv(7)]"
    ),
    "every statement is read": (
        "a, b = socket.socketpair()\nc, d = socket.socketpair()\n"
        "x = (a.close(), b.close(), c.close(), d.close())\n"
        "x += a.recv(1)\nassert b.send(b'')\ny: int = c.recv(2)\nfor n in d.recv(3):\n    pass\n"
        "s = socket.socket()\ns.close()\nraise s.connect(x)"
    ),
    "an operand in each nested place": (
        "a, b = socket.socketpair()\nc, d = socket.socketpair()\n"
        "x = (a.close(), b.close(), c.close(), d.close())\n"
        "[n for n in a.recv(1)]\nx(y(b.recv(2)))\nx(k=c.recv(3))\nx[d.recv(4):]"
    ),
    "an error in every turn": "s = socket.socket()\ns.close()\nfor n in x:\n    y()\n    s.send(b'')\n    s.recv(1)",
    "an error in a loop in a loop": (
        "s = socket.socket()\ns.close()\nwhile True:\n    for n in x:\n        s.send(b'')\n    if y:\n        break"
    ),
    "an error until it is made right": (
        "s = socket.socket()\nwhile x:\n    s.bind(y)\n    s.connect(y)\nt = socket.socket()\nfor n in x:\n"
        "    t.send(b'')\n    t.connect(n)"
    ),
    "a guarded case of a match": (
        "s = socket.socket()\nmatch x:\n    case 1:\n        s.close()\n    case y if y > 2:\n        s.close()\ns.bind(x)"
    ),
    "a walrus": "(s := socket.socket()).bind(x)\ns.close()\ns.listen()",
    "a name that is deleted": "s = socket.socket()\ns.close()\ndel s\ns.bind(x)",
    "a starred target": "a, *b = socket.socketpair()\na.close()\na.send(b'')",
    "a nested target": (
        "s = socket.create_server(x)\n(c, (h, p)) = s.accept()\nc.close()\nc.send(b'')\n[d, e] = s.accept()\nd.close()\n"
        "d.send(b'')"
    ),
    "a tuple goes through a function": (
        "def f(x):\n    return x, socket.socket()\na, s = f(1)\ns.close()\ns.bind(x)"
    ),
    "two returns of a function": (
        "def f(x):\n    s = socket.socket()\n    if x:\n        return s\n    s.close()\n    return s\n"
        "s = f(1)\ns.bind(x)\ns.close()\ns.bind(x)"
    ),
    "four functions deep": (
        "def a(s):\n    b(s)\ndef b(s):\n    c(s)\ndef c(s):\n    d(s)\ndef d(s):\n    s.close()\n"
        "s = socket.socket()\nc(s)\ns.bind(x)\nt = socket.socket()\na(t)\nt.bind(x)"
    ),
    "a function that calls itself": (
        "def f(s, n):\n    if n:\n        f(s, n - 1)\n    s.close()\ns = socket.socket()\nf(s, 1)\ns.bind(x)"
    ),
    "a generator does nothing when it is called": (
        "def f(s):\n    yield s.close()\ns = socket.socket()\nf(s)\ns.bind(x)"
    ),
    "a decorated function": "@x\ndef f(s):\n    s.close()\ns = socket.socket()\nf(s)\ns.bind(x)",
    "more arguments than parameters": "def f(s):\n    s.close()\ns = socket.socket()\nf(s, 1)\ns.bind(x)",
    "a method of a base": (
        "class A:\n    def end(self):\n        self.s.close()\nclass B(A):\n    def f(self):\n"
        "        self.s = socket.socket()\n        self.end()\n        self.s.bind(x)"
    ),
    "another name for self": (
        "class A:\n    def end(this):\n        this.s.close()\n        this.t = socket.socket()\n    def f(self):\n"
        "        self.s = socket.socket()\n        self.end()\n        self.s.bind(x)\n        self.t.accept()"
    ),
    "self is given away": (
        "class A:\n    def f(self):\n        self.s = socket.socket()\n        x(self)\n        self.s.accept()\n"
        "        self.s = socket.socket()\n        x.y(self)\n        self.s.accept()"
    ),
    "a method of an object that is not known": (
        "s = socket.socket()\nx.s = s\nx.go()\ns.accept()\nt = socket.socket()\nx.t = t\nx.t.accept()"
    ),
    "a list and a dict keep what they get": (
        "s = socket.socket()\nx = {1: s}\ns.accept()\nt = socket.socket()\nx = [*t]\nt.accept()\nu = socket.socket()\n"
        "y = [n for n in u]\nu.accept()\nv = socket.socket()\nz = lambda: v\nv.accept()"
    ),
    "harmless questions": (
        "s = socket.socket()\nprint(s)\nlen(x, s.fileno)\nisinstance(s, x)\ns.accept()\nt = socket.socket()\nrepr(t.accept)\n"
        "t.accept()"
    ),
    "assertions of a test": (
        "class T:\n    def test(self):\n        s = socket.socket()\n        self.addCleanup(s.close)\n"
        "        self.assertTrue(s)\n        s.accept()\n        with self.assertRaises(OSError):\n            s.send(b'')"
    ),
    "a test that expects a failure": (
        "s = socket.socket()\ntry:\n    s.accept()\n    raise AssertionError\nexcept OSError:\n    pass\ns.listen()\n"
        "try:\n    s.connect(x)\nexcept IllegalCall:\n    pass"
    ),
    "select asks for the descriptor": "s = socket.socket()\ns.close()\nselect.select([s], [], [])",
    "dup has the same state": "s = socket.socket()\nd = s.dup()\nd.accept()\ns.close()\ne = s.dup()",
    "wrap_socket uses its argument up": (
        "s = socket.create_connection(x)\nt = c.wrap_socket(s, server_hostname=x)\nt.close()\nt.send(b'')\ns.recv(1)"
    ),
    "each direction of a shutdown": (
        "a, b = socket.socketpair()\na.shutdown(socket.SHUT_RD)\na.recv(1)\na.send(b'')\nb.shutdown(1)\nb.recv(1)\n"
        "b.send(b'')\nc, d = socket.socketpair()\nc.shutdown(x)\nc.send(b'')\nd.shutdown(SHUT_RDWR)\nd.send(b'')"
    ),
    "arguments of socket()": (
        "a = socket.socket(proto=0)\na.accept()\nb = socket.socket(type=socket.SOCK_DGRAM)\nb.accept()\n"
        "c = socket.socket(socket.AF_UNIX)\nc.accept()\nd = socket.socket(socket.AF_INET, 1, 6)\nd.accept()\n"
        "e = socket.socket(2, socket.SOCK_STREAM)\ne.accept()\nf = socket.socket(*x)\nf.accept()\n"
        "g = socket.socket(proto=socket.IPPROTO_SCTP)\ng.accept()\nh = socket.socket(socket.AF_INET6)\nh.listen()\n"
        "i = socket.socket(socket.AF_UNIX)\ni.listen()\nj = socket.socket(**x)\nj.accept()\n"
        "k = socket.socket(x, socket.SOCK_DGRAM, 0, 5)\nk.accept()"
    ),
    "archives": (
        "from lifecycle import Archive\na = Archive(x, 'load')\na.close()\na.flush()\nb = Archive(x, 'store')\nb.close()\n"
        "b.flush()\nc = Archive(x)\nc.close()\nd = Archive(x, y)\ne = Archive(x, 'else')"
    ),
    "a farewell in each block": (
        "def f(a):\n    try:\n        a.shutdown(2)\n        a.close()\n    except OSError:\n        pass\n"
        "def g(self):\n    while x:\n        try:\n            self.s.shutdown(socket.SHUT_WR)\n            self.s.detach()\n"
        "        except OSError:\n            pass\n    else:\n        try:\n            self.t.shutdown(1)\n"
        "            self.t.close()\n        except OSError:\n            raise\n"
        "def h(self):\n    match x:\n        case 1:\n            with contextlib.suppress(OSError):\n"
        "                self.s.shutdown(0)\n                self.s._real_close()\n        case 2:\n"
        "            with contextlib.suppress(OSError):\n                self.s.shutdown()\n                self.s.close()\n"
        "    self.t.close()"
    ),
    "long after many turns": (
        "s = socket.socket()\nwhile x:\n    " + "\n    ".join(f"if x == {n}: s.setsockopt({n})" for n in range(9))
        + "\n    s.setblocking(False)\ns.accept()"
    ),
    "a module's own name": "def socket():\n    pass\ns = socket.socket()\ns.accept()",
    "an assigned name": "def f():\n    make = x\n    s = make()\n    s.accept()\ndef g():\n    s = make()\n    s.accept()",
    "the objects of this package": (
        "import lifecycle\nfrom lifecycle import Accepted, Client, Datagram, Server, SocketFile, aio\na = Server()\n"
        "a.accept()\n"
        "b = Client()\nb.receive(1)\nc = Accepted()\nc.send(b'')\nd = Datagram()\nd.receive(1)\ne = SocketFile(x)\ne.close()\n"
        "e.read(1)\nf = lifecycle.aio.Client()\nf.send(b'')\ng = aio.Server()\ng.accept()\nh = lifecycle.aio.Datagram()\n"
        "h.close()\nh.send_to(b'', x)\ni = lifecycle.aio.Accepted()\ni.close()"
    ),
    "streams of asyncio": (
        "async def f():\n    r, w = await asyncio.open_connection('', 1)\n    w.close()\n    w.write(b'')\n"
        "    r.feed(1)\n    q, v = await asyncio.open_unix_connection('x')\n    v.write_eof()\n    v.write(b'')\n"
        "    q.close()\n"
        "    v.close()\n    v.writelines([])"
    ),
    "parameters with a type": (
        "from lifecycle import Client\ndef f(s: socket.socket, c: Client, *, w: asyncio.StreamWriter, n: int):\n"
        "    s.accept()\n    s.close()\n    s.accept()\n    c.close()\n    c.receive(1)\n    w.close()\n    w.write(b'')"
    ),
    "two loops in one expression": (
        "a, b = socket.socketpair()\na.close()\nb.close()\nx = [y for m in a.recv(1) for n in b.recv(2)]"
    ),
    "an exception of a module": (
        "import builtins\ns = socket.socket()\ntry:\n    s.accept()\nexcept builtins.OSError:\n    pass\ns = socket.socket()\n"
        "try:\n    s.accept()\n    raise builtins.AssertionError\nexcept (x.OSError, KeyError):\n    pass"
    ),
    "the same mistake of two callers": (
        "def f(s):\n    s.send(b'')\na = socket.socket()\na.close()\nb = socket.socket()\nif x:\n    b.close()\nf(b)\nf(a)\n"
        "c = socket.socket()\nc.close()\nf(c)"
    ),
    "two mistakes in a line": "s = socket.socket()\ns.close()\nx(s.recv(1) if y else s.recv(2))\ns.recv(3); s.recv(4)",
    "a pair at the begin of a line": "a, b = (\nsocket.socketpair()\n)\na.close()\nb.send(b'')\na.send(b'')",
    "the nearest base comes first": (
        "class A:\n    pass\nclass B:\n    def end(self):\n        pass\nclass C(A):\n    def end(self):\n"
        "        self.s.close()\n"
        "class D(A):\n    def end(self):\n        self.s.close()\nclass E(D, B):\n    def f(self):\n"
        "        self.s = socket.socket()\n        self.end()\n        self.s.bind(x)\nclass F(B, C):\n    def f(self):\n"
        "        self.s = socket.socket()\n        self.end()\n        self.s.bind(x)\n        self.s.bind(x)"
    ),
    "a base far away": (
        "class A:\n    def end(self):\n        self.s.close()\nclass B(A):\n    pass\nclass C:\n    def end(self):\n"
        "        pass\n"
        "class D(B, C):\n    def f(self):\n        self.s = socket.socket()\n        self.end()\n        self.s.bind(x)\n"
        "        self.s.bind(x)"
    ),
    "a farewell behind something else": (
        "def f(self):\n    try:\n        x()\n        y = self.s.shutdown(2)\n        self.s.shutdown(2)\n"
        "        self.s.close()\n"
        "    except OSError:\n        pass\n    x()\ndef g(self):\n    try:\n        self.s.shutdown(2)\n"
        "        self.t.close()\n"
        "        self.s.shutdown(x)\n    except (OSError, x):\n        pass\n    except KeyError:\n        raise"
    ),
    "what is expected, and what comes behind it": (
        "import pytest\ns = socket.socket()\nwith pytest.raises(OSError), x:\n    s.accept()\ns.accept()\nt = socket.socket()\n"
        "try:\n    t.accept()\n    x.fail()\nexcept OSError:\n    pass\nt.accept()\nwith contextlib.suppress(OSError):\n"
        "    t.accept()\nu = socket.socket()\nu.accept()"
    ),
    "a helper with a try": (
        "def f(s):\n    try:\n        x()\n    except KeyError:\n        y()\n    s.send(b'')\ns = socket.socket()\n"
        "s.close()\nf(s)"
    ),
    "a helper with a loop that ends": (
        "def f(s):\n    while True:\n        if x():\n            break\n    for n in x:\n        y()\n    s.send(b'')\n"
        "s = socket.socket()\ns.close()\nf(s)"
    ),
    "a bare handler that ends": (
        "s = socket.socket()\ntry:\n    try:\n        s.close()\n        x()\n    except:\n        s = None\nexcept OSError:\n"
        "    s.bind(x)"
    ),
    "a call on the result of a call": (
        "a, b = socket.socketpair()\na.close()\nb.close()\nx(a.recv(1)).y(z)\nx[b.recv(2)].y()"
    ),
    "where a call may have failed": (
        "s = socket.socket()\ntry:\n    s.bind(x)\n    s.listen()\n    s.accept()\nexcept OSError:\n    s.connect(x)\n"
        "t = socket.socket()\ntry:\n    t.connect(x)\nexcept OSError:\n    t.listen()\n    t.send(b'')"
    ),
    "a plain function in a method": (
        "def g():\n    x()\nclass C:\n    def f(self):\n        self.s = socket.socket()\n        self.s.close()\n        g()\n"
        "        self.s.send(b'')\n        t = socket.socket()\n        t.close()\n        g()\n        t.send(b'')"
    ),
    "what setUp makes": (
        "import unittest\nclass T(unittest.TestCase):\n    def setUp(self):\n        self.s = socket.socket()\n"
        "        self.s.close()\n    def test(self):\n        self.s.send(b'')\n    def other(self):\n        self.s.send(b'')"
    ),
    "two returns of another size": (
        "def f(x):\n    s = socket.socket()\n    t = socket.socket()\n    if x:\n        return s, t\n    return s, 1, t\n"
        "a, b = f(1)\na.accept()\nb.accept()\nc = f(2)\nc[0].accept()"
    ),
    "both sides of a conditional expression": "s = socket.socket()\nx(s.close() if y else s.close())\ns.bind(z)",
    "names of other modules": (
        "import socket as net, os.path\nfrom . import socket as near\ns = net.socket()\ns.accept()\nt = near.socket()\n"
        "t.accept()\nu = os.path.socket()"
    ),
    "an attribute that another method has made": (
        "class A:\n    def __init__(self):\n        self.s = self.t = None\n    def open(self):\n"
        "        self.s = socket.socket()\n        self.t = socket.socket(2, socket.SOCK_DGRAM)\n    async def meet(self):\n"
        "        self.r, self.w = await asyncio.open_connection(x)\n"
        "    def end(self):\n        self.s.send(b'')\n        self.s.close()\n        self.s.send(b'')\n"
        "        with self.t:\n            self.t.accept()\n        self.t.send(b'')\n        self.w.close()\n"
        "        self.w.write(b'')"
    ),
    "an attribute that may have another object": (
        "class A(B):\n    def __init__(self, s):\n        self.s = socket.socket()\n        self.t = socket.socket()\n"
        "        self.u = s or socket.socket()\n        self.v = socket.socket()\n        self.w = socket.socket()\n"
        "    def w(self):\n        pass\n    def open(self):\n        self.s = socket.socket()\n"
        "    def end(self):\n        self.s.close()\n        self.open()\n        self.s.send(b'')\n        self.t.close()\n"
        "        self.x.go()\n        self.t.send(b'')\n        self.u.close()\n        self.u.send(b'')\n"
        "        for self.v in x:\n            self.v.close()\n            self.v.send(b'')\n        self.w.close()\n"
        "        self.w.send(b'')\n        self.t.close()\n        super().end()\n        self.t.send(b'')"
    ),
    "a constructor that the module replaces": (
        "@patch('socket.socket')\ndef f(made):\n    s = socket.socket()\n    s.send(b'')\n"
        "def g(monkeypatch):\n    monkeypatch.setattr(socket, 'create_connection', x)\n    s = socket.create_connection(y)\n"
        "    s.close()\n    s.send(b'')\n    socket.create_server = x\n    s = socket.create_server(y)\n    s.connect(x)\n"
        "    a, b = socket.socketpair()\n    setattr(y, 'socketpair', x)\n    a.close()\n    a.send(b'')"
    ),
    "methods of a loop": (
        "async def f(loop):\n    s = socket.socket()\n    await loop.sock_sendall(s, b'')\n    await loop.sock_connect(s, x)\n"
        "    await loop.sock_sendall(s, b'')\n    s.close()\n    await loop.sock_recv(s, 1)\n"
        "    t = socket.create_server(x)\n    c, _ = await loop.sock_accept(t)\n    c.close()\n"
        "    await loop.sock_recv(c, 1)\n    await loop.sock_recv(x, t)\n    t.connect(x)"
    ),
}  # fmt: skip
"""name -> source in which it matters which statements run, and in which order"""

READ = {**WRONG, **RIGHT, **PATHS}


@pytest.mark.parametrize("name", READ)
def test_reading_is_in_the_recorded_words(name: str) -> None:
    """What is found on every path and on some, its states, advice and place, and how much was followed, is as recorded."""
    source = READ[name] if isinstance(READ[name], str) else READ[name][0]
    reading = read_source((HEADER + source).encode(), "program.py")
    lines = [f"{reading.followed} of {reading.made} followed{reading.problem}"]
    for number, line in enumerate(source.splitlines(), 3):
        lines.append(f"  {line}")
        at_line = [problem_of(each) for each in reading.mistakes if each.line == number]
        lines += as_text(at_line).splitlines()
    text = "\n".join(lines)
    assert text.splitlines() == golden("readings", name, text).splitlines()
