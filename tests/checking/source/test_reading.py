"""What the flow checker finds in source, and what it leaves alone."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from long_form import WHOLE

from lifecycle.checking.source.constructors import CONSTRUCTORS, of_role
from lifecycle.checking.source.reading import python_files, read_file, read_source
from lifecycle.engine import Role

HEADER = "import asyncio, contextlib, select, socket, ssl, threading\nfrom socket import socket as make\n"

WRONG = {
    "send after close": ("s = socket.socket()\ns.close()\ns.send(b'')", 3, "send"),
    "send before connect": ("s = socket.socket()\ns.bind(('', 0))\ns.sendall(b'')", 3, "sendall"),
    "a renamed import": ("s = make()\ns.close()\ns.recv(1)", 3, "recv"),
    "an alias": ("s = socket.socket()\nt = s\nt.close()\ns.recv(1)", 4, "recv"),
    "after the with block": ("with socket.create_server(('', 0)) as s:\n    pass\ns.accept()", 3, "accept"),
    "after closing()": ("with contextlib.closing(socket.socket()) as s:\n    pass\ns.fileno()\ns.listen()", 4, "listen"),
    "accept before listen": ("s = socket.socket()\ns.bind(('', 0))\ns.accept()", 3, "accept"),
    "second connect": ("s = socket.create_connection(('', 1))\ns.connect(('', 2))", 2, "connect"),
    "send after shutdown": ("s = socket.create_connection(('', 1))\ns.shutdown(socket.SHUT_WR)\ns.send(b'')", 3, "send"),
    "on the accepted socket": (
        "with socket.create_server(('', 0)) as server:\n    conn, _ = server.accept()\n"
        "    conn.close()\n    conn.send(b'')", 4, "send"),
    "one of a pair": ("a, b = socket.socketpair()\na.close()\nb.send(b'')\na.send(b'')", 4, "send"),
    "both branches close": ("s = socket.socket()\nif x:\n    s.close()\nelse:\n    s.close()\ns.send(b'')", 6, "send"),
    "in the second turn of a loop": (
        "for n in range(3):\n    s = socket.socket()\n    s.close()\n    s.connect(n)", 4, "connect"),
    "in each turn of a loop": ("s = socket.socket()\ns.close()\nwhile x:\n    y()\n    s.send(b'')", 5, "send"),
    "in the test of a loop": ("s = socket.socket()\ns.close()\nwhile s.recv(1):\n    pass", 3, "recv"),
    "behind a match that is complete": (
        "s = socket.socket()\nmatch x:\n    case 1:\n        s.close()\n    case _:\n        s.close()\ns.send(b'')",
        7, "send"),
    "an archive that stores": ("from lifecycle import Archive\na = Archive(x, 'store')\na.close()\na.flush()", 4, "flush"),
    "in a finally": ("s = socket.socket()\ntry:\n    s.close()\nfinally:\n    s.listen()", 5, "listen"),
    "through a helper": ("s = opened()\ns.listen()\ndef opened():\n    return socket.create_connection(('', 1))", 2, "listen"),
    "closed by a helper": ("s = socket.socket()\nend(s)\ns.connect(('', 1))\ndef end(x):\n    x.close()", 3, "connect"),
    "closed after it escaped": ("s = socket.socket()\nkeep(s)\ns.close()\ns.send(b'')", 4, "send"),
    "datagram": ("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.send(b'')", 2, "send"),
    "wrapped by ssl": ("s = socket.create_connection(('', 1))\nt = context.wrap_socket(s)\ns.send(b'')", 3, "send"),
    "a parameter's annotation": ("def f(s: socket.socket):\n    s.close()\n    s.send(b'')", 3, "send"),
    "an attribute": (
        "class C:\n    def f(self):\n        self.s = socket.socket()\n"
        "        self.s.close()\n        self.s.send(b'')", 5, "send"),
    "through another method": (
        "class C:\n    def f(self):\n        self.s = socket.socket()\n        self.g()\n        self.s.send(b'')\n"
        "    def g(self):\n        self.s.close()", 5, "send"),
    "after setUp": (
        "class T:\n    def setUp(self):\n        self.s = socket.socket()\n        self.s.close()\n"
        "    def test_it(self):\n        self.s.send(b'')", 6, "send"),
    "a connect that waits": (
        "s = socket.socket()\ns.setblocking(False)\nerror = s.connect_ex(('', 1))\ns.listen()", 4, "listen"),
    "our own server": ("import lifecycle\ns = lifecycle.Server()\ns.create(0)\ns.accept()", 4, "accept"),
    "our own client": ("from lifecycle import Client\nwith Client() as c:\n    c.send(b'')", 3, "send"),
    "asyncio's writer": (
        "async def f():\n    r, w = await asyncio.open_connection('', 1)\n    w.close()\n    w.write(b'')", 4, "write"),
    "a kind that only the caller knows": (
        "def f(family, kind):\n    s = socket.socket(family, kind)\n    s.connect(x)\n    s.close()\n"
        "    s.send(b'')", 5, "send"),
    "its close is handed on": (
        "import atexit\ns = socket.socket()\natexit.register(s.close)\ns.send(b'')", 4, "send"),
    "on a stack": (
        "with contextlib.ExitStack() as stack:\n    s = stack.enter_context(socket.socket())\n    s.close()\n"
        "    s.send(b'')", 4, "send"),
    "on a stack that only closes": (
        "with contextlib.ExitStack() as stack:\n    s = socket.socket()\n"
        "    stack.enter_context(contextlib.closing(s))\n    s.bind(x)\n    s.close()\n    s.recv(1)", 6, "recv"),
    "opened with a limit": (
        "async def f():\n    r, w = await asyncio.wait_for(asyncio.open_connection('', 1), 3)\n    w.close()\n"
        "    w.write(b'')", 4, "write"),
    "by a keyword": (
        "s = socket.socket()\nend(x=s, now=1)\ns.connect(('', 1))\ndef end(now, x, **more):\n    x.close()", 3, "connect"),
    "a descriptor": ("s = socket.fromfd(x, *y)\ns.close()\ns.accept()", 3, "accept"),
    "another family": (
        "s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\ns.bind((0, 0))\ns.close()\ns.recv(1)", 4, "recv"),
    "accepted on a socket of any kind": (
        "def f(family):\n    s = socket.socket(family)\n    s.listen()\n    c, _ = s.accept()\n    c.close()\n"
        "    c.send(b'')", 6, "send"),
    "in a function that gets it from another": (
        "def made():\n    return opened()\ndef opened():\n    return socket.create_connection(('', 1))\n"
        "def main():\n    s = made()\n    s.close()\n    s.recv(1)", 8, "recv"),
    "a farewell that skips the close": (
        "def f(self):\n    try:\n        self.s.shutdown(2)\n        self.s.close()\n    except OSError:\n"
        "        pass", 3, "shutdown"),
    "a farewell among the last things": (
        "def f(all):\n    try:\n        use(all)\n    finally:\n        for s in all:\n            try:\n"
        "                s.shutdown(2)\n                s.close()\n            except OSError:\n"
        "                pass", 7, "shutdown"),
    "a suppressed farewell": (
        "for s in all:\n    with contextlib.suppress(OSError):\n"
        "        s.shutdown(socket.SHUT_RDWR)\n        s.close()", 3, "shutdown"),
}  # fmt: skip
"""name -> source, the line of the mistake, the call"""

RIGHT = {
    "the usual client": (
        "with socket.socket() as s:\n    s.connect(('', 1))\n    s.sendall(b'')\n    s.recv(1)"
    ),
    "the usual server": (
        "s = socket.socket()\ns.bind(('', 0))\ns.listen()\nwhile True:\n    c, _ = s.accept()\n"
        "    c.send(b'')\n    c.close()"
    ),
    "close twice": 's = socket.socket()\ns.close()\ns.close()',
    "closed on one path": 's = socket.socket()\nif x:\n    s.close()\ns.bind(x)',
    "a new one for each attempt": (
        'while True:\n    s = socket.socket()\n    try:\n        s.connect(x)\n        break\n'
        "    except OSError:\n        s.close()\ns.send(b'')"
    ),
    "an expected failure": "s = socket.socket()\ns.close()\nwith pytest.raises(OSError):\n    s.send(b'')",
    "a test that fails otherwise": (
        "s = socket.socket()\ns.close()\ntry:\n    s.send(b'')\n    self.fail('no error')\n"
        'except OSError:\n    pass'
    ),
    "a guarded question": 's = socket.socket()\ntry:\n    s.getpeername()\nexcept OSError:\n    pass\ns.close()',
    "escaped to a thread": (
        "s = socket.socket()\nthreading.Thread(target=run, args=(s,)).start()\ns.send(b'')"
    ),
    "escaped in a list": "s = socket.socket()\nall = [s]\nprepare(all)\ns.send(b'')",
    "kept by another object": "s = socket.socket()\nother.kept = s\nwait()\ns.send(b'')",
    "kept by an argument of a method": (
        "class C:\n    def f(self, zoo):\n        s = socket.socket()\n        zoo.kept = s\n"
        "        wait()\n        s.send(b'')"
    ),
    "connected by a closure": "s = socket.socket()\ndef f():\n    s.connect(x)\nf()\ns.send(b'')",
    "connected by another module": "s = socket.socket()\nother.prepare(s)\ns.send(b'')",
    "another family": "s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\ns.bind((0, 0))\ns.send(b'')",
    "an unknown kind": (
        'def f(kind):\n    s = socket.socket(socket.AF_INET, kind)\n    s.bind(x)\n    s.recv(1)'
    ),
    "a method that is not ours": 's = socket.socket()\ns.close()\ns.family\nprint(s.gettimeout())',
    "the other direction": 'a, b = socket.socketpair()\na.shutdown(socket.SHUT_WR)\na.recv(1)',
    "None first": (
        "s = None\ntry:\n    s = socket.create_connection(x)\n    s.send(b'')\nfinally:\n"
        '    if s is not None:\n        s.close()'
    ),
    "a farewell with a finally": (
        'def f(s):\n    try:\n        s.shutdown(2)\n        s.close()\n    except OSError:\n'
        '        pass\n    finally:\n        s.close()'
    ),
    "a farewell to a socket that the caller has, too": (
        "def handle(s):\n    try:\n        use(s)\n    finally:\n        s.close()\ndef use(s):\n    try:\n"
        "        s.shutdown(2)\n        s.close()\n    except OSError:\n        pass"
    ),
    "a farewell with a close behind the block": (
        "def f(s):\n    if s:\n        try:\n            s.shutdown(2)\n            s.close()\n        except OSError:\n"
        "            pass\n    s.close()"
    ),
    "a farewell in a block with an outer finally": (
        "def f(s):\n    try:\n        with contextlib.suppress(OSError):\n            s.shutdown(2)\n            s.close()\n"
        "    finally:\n        s.close()"
    ),
    "a kind that only the caller knows": (
        "def f(family):\n    s = socket.socket(family)\n    s.send(b'')\n    s.accept()\n    s.connect(x)\n    s.close()"
    ),
    "its close is handed on, and awaited": (
        "async def f(loop):\n    r, w = await asyncio.open_connection('', 1)\n    loop.call_later(1, w.close)\n"
        "    await w.wait_closed()"
    ),
    "its connect is handed on": "s = socket.socket()\nlater(s.connect)\ns.send(b'')",
    "by a keyword that goes on": (
        "s = socket.socket()\nuse(1, sock=s)\ns.send(b'')\ndef use(n, **more):\n    other(**more)"
    ),
    "a descriptor in any state": (
        "s = socket.socket(fileno=x)\ns.listen()\ns.accept()\nt = socket.fromfd(x, *y)\nt.send(b'')\nt.bind(x)"
    ),
    "a helper that decides by its argument": (
        's = socket.socket()\ns.close()\nuse(s, False)\ndef use(x, go):\n    if go:\n'
        "        x.send(b'')"
    ),
    "a shadowed import": "socket = fake()\ns = socket.socket()\ns.close()\ns.send(b'')",
    "an attribute that another method may replace": (
        'class C:\n    def f(self):\n        self.s = socket.socket()\n        self.s.close()\n'
        "        self.renew()\n        self.s.send(b'')"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_found_at_their_line(name: str) -> None:
    """A call that is wrong on every path is reported once, at its line, by its name."""
    source, line, call = WRONG[name]
    reading = read_source((HEADER + source).encode(), "program.py")
    assert [(each.line - 2, each.call) for each in reading.mistakes if each.must] == [(line, call)]


@pytest.mark.parametrize("name", RIGHT)
def test_right_programs_have_no_certain_mistake(name: str) -> None:
    """What may be right on some path, or is changed where it cannot be followed, is not reported."""
    source = ("import pytest\n" if "pytest" in RIGHT[name] else "") + HEADER + RIGHT[name]
    assert [each for each in read_source(source.encode(), "program.py").mistakes if each.must] == []


@pytest.mark.parametrize("name", RIGHT)
def test_right_programs_are_right_inside_functions_too(name: str) -> None:
    """The same holds where the program is the body of a function."""
    source = HEADER + "import pytest\ndef main(self, x):\n" + textwrap.indent(RIGHT[name], "    ")
    assert [each for each in read_source(source.encode(), "program.py").mistakes if each.must] == []


def test_a_mistake_on_some_paths_is_marked() -> None:
    """A call that is wrong on one path is kept apart from a certain mistake."""
    source = HEADER + RIGHT["closed on one path"]
    assert [each.must for each in read_source(source.encode(), "program.py").mistakes] == [False]


def test_objects_of_a_users_role_are_followed() -> None:
    """A class with a role of its own is checked by that role."""
    source = b"from app import Door\nd = Door()\nd.pass_through()\n"
    reading = read_source(source, "program.py", {**CONSTRUCTORS, "app.Door": of_role(_door())})
    assert [(each.role, each.states, each.remedy) for each in reading.mistakes] == [("door", ("shut",), ("push",))]


def _door() -> Role:
    from lifecycle.engine import Call, State

    return Role(
        name="door",
        doc="A door.",
        states=(State("shut", "Shut."), State("ajar", "Open."), State("gone", "Gone.")),
        calls=(Call("push", "Open it."), Call("pass_through", "Go through."), Call("remove", "Take it away.")),
        rows=(
            ("shut", "push", {"ok": "ajar"}),
            ("ajar", "pass_through", {"ok": "ajar"}),
            ("ajar", "remove", {"ok": "gone"}),
        ),
        initial="shut",
        final=frozenset({"gone"}),
    )


@pytest.mark.parametrize(
    "data",
    [
        b"import socket\nsocket.socket(",
        b"import socket\n\x00",
        b"# coding: nothing\nimport socket\n",
        b"import socket\n" + b"(" * 500,
    ],
    ids=["unfinished", "null byte", "unknown encoding", "deeply nested"],
)
def test_source_that_cannot_be_parsed_is_a_problem(data: bytes) -> None:
    """Bytes that are not Python end no run: they are named as a problem."""
    assert "cannot be parsed" in read_source(data, "broken.py").problem


def test_files_are_found_below_folders(tmp_path: Path) -> None:
    """Folders are searched in order, without caches and environments; a file that is gone is a problem."""
    for name in ("b.py", "a/c.py", ".venv/d.py", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert [str(each.relative_to(tmp_path)) for each in python_files([tmp_path])] == ["b.py", str(Path("a", "c.py"))]
    assert "cannot be read" in read_file(tmp_path / "gone.py").problem


def test_this_package_has_no_certain_mistake() -> None:
    """The package and its examples pass their own checker."""
    root = Path(__file__).parents[3]
    files = python_files([root / "lifecycle", root / "examples"])
    with_sockets = [path for path in files if WHOLE or "import socket" in path.read_text(encoding="utf-8")]
    found = [each for path in with_sockets for each in read_file(path).mistakes]
    assert [each for each in found if each.must] == []
