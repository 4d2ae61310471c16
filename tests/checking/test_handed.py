"""The line that names a call which a thread makes: it is looked for near the start of the thread, and in the program alone."""

from __future__ import annotations

import sys
import threading
from types import FrameType

import pytest
from checking.layers import Layer, asked

from lifecycle.checking import checked_sockets
from lifecycle.checking.call_sites import CallSite
from lifecycle.checking.handed import named_site

CALLED = "recv"
PACKAGE: Layer = ("package pass_on", "CALL()")


def site_in_thread(*layers: Layer, others: bool = False) -> CallSite:
    """What is told of a call in a thread that the last of these layers starts. others: as a thread that looks on sees it."""
    sites: list[CallSite] = []

    def work() -> None:
        frame = sys._getframe()
        if others:
            asking = threading.Thread(target=look_on, args=(frame, threading.get_ident()))
            asking.start()
            asking.join()
        else:
            sites.append(named_site(frame, CALLED))

    def look_on(frame: FrameType, number: int) -> None:
        sites.append(named_site(frame, CALLED, number))

    def start(_: FrameType) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    with checked_sockets():
        asked(layers, start, socket=None)
    return sites[0]


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize(("depth", "is_found"), [(0, True), (4, True), (5, True), (6, False)])
def test_line_that_names_the_call_is_told(depth: int, is_found: bool, others: bool) -> None:
    """Within eight frames of the start, the program's line with the call's name is told; further away the thread's own."""
    names_it: Layer = ("program main", "if socket:\n    socket.recv\nCALL()")
    site = site_in_thread(names_it, *[PACKAGE] * depth, others=others)
    assert (site.function, site.line) == ("main", 4) if is_found else site.function == "work"


def test_constant_with_the_name_tells_the_call() -> None:
    """A program that gives the call's name as text, as for getattr(), has named it; a package's line never does."""
    assert site_in_thread(("program main", "name = 'recv'\nCALL()"), PACKAGE).function == "main"
    assert site_in_thread(("package pass_on", "name = 'recv'\nCALL()")).function == "work"


def test_nearest_of_two_lines_is_told() -> None:
    """Of several lines that name the call, the one nearest to it is told."""
    far: Layer = ("program far", "name = 'recv'\nCALL()")
    assert site_in_thread(far, ("program near", "name = 'recv'\nCALL()")).function == "near"


CALL_SITES = {
    "the program's own line": ((("program main", "x = 'recv'\nCALL()"),), "main", 3),
    "a library makes the call in its own way": (
        (("program main", "x = 'recv'\nCALL()"), ("standard serve", "CALL()")), "main", 3),
    "a helper of the program that does not name it": (
        (("program main", "x = 'recv'\nCALL()"), ("program helper", "CALL()")), "main", 3),
    "nobody names it": ((("program main", "CALL()"), ("program helper", "x = 1\nCALL()")), "helper", 3),
    "the socket module is passed over": (
        (("program main", "x = 'recv'\nCALL()"), ("program helper", "CALL()"), ("socket recv", "CALL()")), "main", 3),
}  # fmt: skip


@pytest.mark.parametrize("name", CALL_SITES)
def test_line_that_names_a_call_in_the_same_thread(name: str) -> None:
    """A function of the program that calls what it was given is told by the line that named the call."""
    layers, function, line = CALL_SITES[name]
    site = asked(layers, lambda frame: named_site(frame, CALLED))
    assert (site.function, site.line) == (function, line)
