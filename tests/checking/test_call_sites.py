"""Which line a call is reported at: the program's, with the library's through which it came, or a package's nearest one."""

from __future__ import annotations

import re
import sys
from types import FrameType

import pytest
from checking.layers import Layer, asked

from lifecycle.checking.call_sites import (
    UNKNOWN,
    CallSite,
    FileKind,
    call_site,
    is_file,
    is_in_program,
    is_open_for_ever,
    kind_of,
    site_at,
)

MAIN, WORK = ("program main", "CALL()"), ("program work", "x = 1\nCALL()")
PACKAGE, DEEP = ("package answer", "x = 1\nx = 2\nCALL()"), ("package deep", "CALL()")
STANDARD, LOOP = ("standard serve", "CALL()"), ("loop run", "CALL()")
SOCKET, MAKER = ("socket send", "CALL()"), ("loop new_event_loop", "CALL()")

SITES: dict[str, tuple[tuple[Layer, ...], str, str, bool]] = {
    "a line of the program": ((MAIN,), "layer1.py:2 in main", "", True),
    "the nearest of two": ((MAIN, WORK), "layer2.py:3 in work", "", True),
    "through the socket module": ((MAIN, SOCKET, SOCKET), "layer1.py:2 in main", "", True),
    "through a package": ((MAIN, PACKAGE), "layer1.py:2 in main (through layer2.py:4 answer)", "answer", True),
    "through two": ((WORK, PACKAGE, DEEP, SOCKET), "layer1.py:3 in work (through layer3.py:2 deep)", "answer", True),
    "through the standard library": ((MAIN, STANDARD), "layer1.py:2 in main (through layer2.py:2 serve)", "serve", True),
    "through both": ((MAIN, PACKAGE, STANDARD), "layer1.py:2 in main (through layer3.py:2 serve)", "answer", True),
    "no line of the program": ((PACKAGE, DEEP), "layer2.py:2 in deep", "", False),
    "a package's line behind the standard library": (
        (PACKAGE, STANDARD), "layer1.py:4 in answer (through layer2.py:2 serve)", "serve", False),
    "the nearest package behind the standard library": (
        (PACKAGE, DEEP, STANDARD), "layer2.py:2 in deep (through layer3.py:2 serve)", "serve", False),
    "the standard library alone": ((STANDARD,), "layer1.py:2 in serve", "", False),
    "a loop comes first": ((MAIN, LOOP, STANDARD), "layer3.py:2 in serve", "", False),
    "a loop comes before a package": (
        (PACKAGE, LOOP, DEEP, STANDARD), "layer3.py:2 in deep (through layer4.py:2 serve)", "serve", False),
    "a loop makes the call": ((MAIN, LOOP), "threading.py:2 in run", "", False),
    "a loop's function that the program calls": (
        (MAIN, MAKER, STANDARD), "layer1.py:2 in main (through layer3.py:2 serve)", "new_event_loop", True),
    "the program behind a loop": ((LOOP, MAIN, STANDARD), "layer2.py:2 in main (through layer3.py:2 serve)", "serve", True),
}  # fmt: skip
"""the functions around a call -> the place that is told, the library's function that it asked, whether it is the program's"""


@pytest.mark.parametrize("case", SITES)
def test_line_that_is_told(case: str) -> None:
    """It is the program's line, with the innermost line of a library; where there is none, the nearest line of a package."""
    layers, told, asked_function, is_programs = SITES[case]
    site = asked(layers, call_site)
    shown = re.sub(r"(?:/[^\s)]*/)?(?:stack\d+/)?(layer\d|threading)", r"\1", str(site))
    assert (shown, site.asked) == (told, asked_function)
    assert asked(layers, is_in_program) is is_programs


def test_each_line_of_a_function_is_told() -> None:
    """A function that calls from several lines is told by the line of each call, again and again."""
    sites: list[CallSite] = []

    def note(frame: FrameType) -> None:
        sites.append(call_site(frame))

    asked((("program main", "for _ in (1, 2):\n    CALL()\n    x = 1\n    (1,\n        CALL())"),), note)
    assert [site.line for site in sites] == [3, 6, 3, 6]
    assert sites[0] is sites[2]


def test_line_of_an_instruction() -> None:
    """An offset that no line has, and one before the first, are reported as the line where the function begins."""
    code = compile("\n\ndef main():\n    pass\n", "/work/offsets/main.py", "exec").co_consts[0]
    assert site_at(code, 0).line in (3, 4)
    assert site_at(code, 10_000) == CallSite("/work/offsets/main.py", 3, "main")


def test_nobody_makes_a_call_without_a_frame() -> None:
    """Where no frame is left above the socket module, the place is unknown."""
    assert call_site(None) == UNKNOWN
    assert not is_in_program(None)
    assert str(UNKNOWN) == "<unknown>:0 in <unknown>"
    assert CallSite("a.py", 1, "f", "lib.py:2 g", "g").as_data() == {
        "file": "a.py", "line": 1, "function": "f", "library": "lib.py:2 g",
    }  # fmt: skip


KINDS = {
    "/work/a.py": "PROGRAM", "/work/site-packages.py": "PROGRAM", "<stdin>": "PROGRAM", "/env/site-packages/a.py": "INSTALLED",
    "/env/dist-packages/a/b.py": "INSTALLED", "/env/bin/tool": "INSTALLED", "/env/Scripts/tool": "INSTALLED",
    "/env/bin/folder/tool": "PROGRAM", "<frozen runpy>": "LIBRARY", "{stdlib}/json/decoder.py": "LIBRARY",
    "{stdlib}/site-packages/a.py": "INSTALLED", "{stdlib}/test/test_socket.py": "PROGRAM", "{stdlib}/asyncio/events.py": "LOOP",
    "{stdlib}/threading.py": "LOOP", "{stdlib}/concurrent/futures/thread.py": "LOOP", "{stdlib}/socket.py": "INTERNAL",
    "{stdlib}/ssl.py": "INTERNAL", "{stdlib}/asyncio/trsock.py": "INTERNAL", "{stdlib}/asyncio/streams.py": "LIBRARY",
    "/env/site-packages/trio/_core/_run.py": "LOOP", "/env/site-packages/twisted/python/context.py": "LOOP",
    "{lifecycle}/checking/observe.py": "INTERNAL", "{lifecycle}/net/aio/stream.py": "PROGRAM", "<lifecycle send>": "INTERNAL",
}  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="the paths are written as POSIX has them")
@pytest.mark.parametrize("file", KINDS)
def test_what_a_file_belongs_to(file: str) -> None:
    """The program is what is neither a package, nor the standard library, nor a loop, nor the checker itself."""
    import os

    import lifecycle

    path = file.format(stdlib=os.path.dirname(os.__file__), lifecycle=os.path.dirname(lifecycle.__file__))
    assert kind_of(path) is FileKind[KINDS[file]]


FOR_EVER = "multiprocessing/managers.py"


def test_sockets_that_stay_open_by_design() -> None:
    """A manager's or a fork server's socket stays open as long as its process, unless the program makes it in a callback."""
    import multiprocessing.connection  # noqa: F401

    from lifecycle.checking.call_sites import STDLIB

    def made_in(*layers: Layer) -> bool:
        return asked(layers, is_open_for_ever)

    scope: dict[str, object] = {}
    exec(compile("def serve(call):\n    return call()\n", STDLIB + FOR_EVER, "exec"), scope)
    serve = scope["serve"]
    assert serve(lambda: None) is None  # type: ignore[operator]
    names = {"serve": serve}
    assert asked((("program", "serve(CALL)"), SOCKET, STANDARD), is_open_for_ever, **names)
    assert asked((("program", "serve(CALL)"), PACKAGE), is_open_for_ever, **names) is False
    assert made_in(MAIN, STANDARD) is False


def test_calls_of_a_file_over_a_socket() -> None:
    """A file object calls from the methods that read and write, in the socket module alone."""
    assert asked((("socket write", "CALL()"),), is_file)
    assert asked((("socket readinto", "CALL()"),), is_file)
    assert not asked((("socket close", "CALL()"),), is_file)
    assert not asked((("program write", "CALL()"),), is_file)
