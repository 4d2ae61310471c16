"""What stands around a call: whether its error is taken, who asks for it, and how an illegal one is judged for that."""

from __future__ import annotations

import linecache

import pytest
from checking.layers import Layer, asked

from lifecycle.checking.call_sites import CallSite
from lifecycle.checking.guards import (
    Guard,
    Standing,
    caught_at,
    guard_of,
    is_asked_for,
    is_in_finalizer,
    is_in_repr,
    is_tried,
    standing,
)

LIBRARY = "library.py:1 _end"

PLAIN = "CALL()"
SWALLOWED = "try:\n    CALL()\nexcept OSError:\n    pass"
HANDLED = "try:\n    CALL()\nexcept OSError:\n    print()"

GUARDS = {
    "nothing around it": (PLAIN, "NONE NONE None"),
    "it does nothing": (SWALLOWED, "SWALLOWED NONE 4"),
    "it does something": (HANDLED, "HANDLED NONE 4"),
    "a bare except": ("try:\n    CALL()\nexcept:\n    pass", "SWALLOWED SWALLOWED 4"),
    "several exceptions": ("try:\n    CALL()\nexcept (KeyError, OSError):\n    return", "SWALLOWED NONE 4"),
    "another exception": ("try:\n    CALL()\nexcept KeyError:\n    pass", "NONE NONE None"),
    "a base of both": ("try:\n    CALL()\nexcept Exception:\n    print()", "HANDLED HANDLED 4"),
    "the second handler": ("try:\n    CALL()\nexcept KeyError:\n    print()\nexcept OSError:\n    pass", "SWALLOWED NONE 6"),
    "the first that fits": (
        "try:\n    CALL()\nexcept OSError:\n    print()\nexcept Exception:\n    pass", "HANDLED SWALLOWED 4"),
    "raised again": ("try:\n    CALL()\nexcept OSError:\n    raise", "NONE NONE 4"),
    "raised again below": ("try:\n    CALL()\nexcept OSError:\n    if x:\n        raise KeyError", "NONE NONE 4"),
    "raised again where it is no error of the order": (
        "try:\n    CALL()\nexcept OSError as e:\n    if e.errno == errno.EPIPE:\n        pass\n    else:\n        raise",
        "HANDLED NONE 4"),
    "raised again where it is one": (
        "try:\n    CALL()\nexcept OSError as error:\n    if error.errno in (errno.ENOTCONN, 1):\n        raise", "NONE NONE 4"),
    "raised again where it is not equal to one": (
        "try:\n    CALL()\nexcept OSError as error:\n    if error.errno != errno.EPIPE:\n        raise", "NONE NONE 4"),
    "raised again where it is some other error": (
        "try:\n    CALL()\nexcept OSError as e:\n    if e.errno == errno.ENOENT:\n        pass\n    else:\n        raise",
        "NONE NONE 4"),
    "raised again by a plain name": (
        "try:\n    CALL()\nexcept OSError as error:\n    if error.errno == EPIPE:\n        print()\n    else:\n        raise",
        "HANDLED NONE 4"),
    "inside two": (
        "try:\n    try:\n        CALL()\n    except KeyError:\n        pass\nexcept OSError:\n    print()", "HANDLED NONE 7"),
    "the inner one takes it": (
        "try:\n    try:\n        CALL()\n    except OSError:\n        pass\nexcept OSError:\n    print()", "SWALLOWED NONE 5"),
    "the last line of a block": ("try:\n    print\n    CALL()\nexcept OSError:\n    pass", "SWALLOWED NONE 5"),
    "the first line of a block": ("try:\n    CALL()\n    print\nexcept OSError:\n    pass", "SWALLOWED NONE 5"),
    "behind the block": ("try:\n    print\nexcept OSError:\n    pass\nCALL()", "NONE NONE None"),
    "in the handler": ("try:\n    raise OSError\nexcept OSError:\n    CALL()", "NONE NONE None"),
    "in the else": ("try:\n    print\nexcept OSError:\n    pass\nelse:\n    CALL()", "NONE NONE None"),
    "in the finally": ("try:\n    print\nexcept OSError:\n    pass\nfinally:\n    CALL()", "NONE NONE None"),
    "a value is returned": ("try:\n    CALL()\nexcept OSError:\n    return None", "SWALLOWED NONE 4"),
    "a result is returned": ("try:\n    CALL()\nexcept OSError:\n    return print()", "HANDLED NONE 4"),
    "a comment in words": ("try:\n    CALL()\nexcept OSError:\n    'It is gone.'", "SWALLOWED NONE 4"),
    "one of two statements": ("try:\n    CALL()\nexcept OSError:\n    print()\n    pass", "HANDLED NONE 4"),
    "the loop goes on": (
        "for each in (1,):\n    try:\n        CALL()\n    except OSError:\n        continue", "SWALLOWED NONE 5"),
    "the loop ends": (
        "while True:\n    try:\n        CALL()\n    except OSError:\n        print()\n    break", "HANDLED NONE 5"),
    "the loop breaks": (
        "while True:\n    try:\n        CALL()\n    except OSError:\n        break\n    break", "SWALLOWED NONE 5"),
    "a value is set": ("try:\n    CALL()\nexcept OSError:\n    x = 1", "HANDLED NONE 4"),
    "suppress": ("with contextlib.suppress(OSError):\n    CALL()", "SWALLOWED NONE 2"),
    "suppress by its own name": ("with suppress(KeyError, OSError):\n    CALL()", "SWALLOWED NONE 2"),
    "suppress of another": ("with suppress(KeyError):\n    CALL()", "NONE NONE None"),
    "suppress of nothing": ("with suppress():\n    CALL()", "NONE NONE None"),
    "suppress beside another": ("with suppress(ValueError), suppress(OSError):\n    CALL()", "SWALLOWED SWALLOWED 2"),
    "another context": ("with nothing:\n    CALL()", "NONE NONE None"),
    "another call for a context": ("with returned(OSError):\n    CALL()", "NONE NONE None"),
    "a group": ("try:\n    CALL()\nexcept* OSError:\n    pass", "SWALLOWED NONE 4"),
    "of a module": ("try:\n    CALL()\nexcept socket.error:\n    pass", "SWALLOWED NONE 4"),
    "of a module's module": ("try:\n    CALL()\nexcept os.path.genericpath.os.error:\n    pass", "SWALLOWED NONE 4"),
    "a time-out of a module": ("try:\n    CALL()\nexcept socket.timeout:\n    pass", "NONE NONE None"),
    "of a name that is not known": ("try:\n    CALL()\nexcept UNKNOWN:\n    pass", "SWALLOWED SWALLOWED 4"),
    "of an object's attribute": ("try:\n    CALL()\nexcept nothing.error:\n    pass", "SWALLOWED SWALLOWED 4"),
    "of what a call returns": ("try:\n    CALL()\nexcept returned(OSError):\n    pass", "SWALLOWED SWALLOWED 4"),
    "of several that have a name": ("try:\n    CALL()\nexcept SEVERAL:\n    pass", "SWALLOWED SWALLOWED 4"),
    "of others that have a name": ("try:\n    CALL()\nexcept OTHERS:\n    pass", "NONE NONE None"),
}  # fmt: skip
"""source around a call -> what becomes of an OSError, of a ValueError, and the line of the handler of the OSError"""


def names() -> dict[str, object]:
    """The globals of the sources."""
    import contextlib
    import errno
    import os
    import socket

    own = {"nothing": contextlib.nullcontext(), "returned": contextlib.nullcontext, "SEVERAL": (ValueError, OSError)}
    modules = {"contextlib": contextlib, "errno": errno, "os": os, "socket": socket, "suppress": contextlib.suppress}
    return {**own, **modules, "EPIPE": errno.EPIPE, "UNKNOWN": None, "OTHERS": (KeyError, TypeError), "x": 0}


@pytest.mark.parametrize("case", GUARDS)
def test_what_becomes_of_an_error(case: str) -> None:
    """The source tells what the program does with an error of the system and with a ValueError, and where it takes it."""
    source, expected = GUARDS[case]
    of_system, of_value, handler = expected.split()
    layers: tuple[Layer, ...] = (("program main", source),)
    assert asked(layers, guard_of, **names()) is Guard[of_system]
    assert asked(layers, lambda frame: guard_of(frame, ValueError), **names()) is Guard[of_value]
    site = asked(layers, lambda frame: caught_at(frame, OSError), **names())
    assert site == (None if handler == "None" else CallSite(site.file if site else "", int(handler), "main"))


def test_source_that_is_not_python_takes_nothing() -> None:
    """Where the file has changed meanwhile, and is no Python any more, nothing is known to take an error."""

    def question(frame: object) -> Guard:
        file = frame.f_code.co_filename  # type: ignore[attr-defined]
        linecache.cache[file] = (1, None, ["try try"], file)
        return guard_of(frame)  # type: ignore[arg-type]

    assert asked((("program", SWALLOWED),), question) is Guard.NONE


CAUGHT = {
    "the caller takes it": ((("program main", SWALLOWED), ("program", PLAIN)), "main"),
    "the nearest takes it": ((("program far", SWALLOWED), ("program near", HANDLED)), "near"),
    "a library does": ((("program main", SWALLOWED), ("package", HANDLED), ("socket", PLAIN)), "main"),
    "behind a loop nobody does": ((("program main", SWALLOWED), ("loop run", PLAIN), ("program", PLAIN)), None),
}


@pytest.mark.parametrize("case", CAUGHT)
def test_line_that_takes_an_error(case: str) -> None:
    """It is the nearest line of the program that takes the error, whatever libraries do, below the loop that called it."""
    layers, function = CAUGHT[case]
    site = asked(layers, lambda frame: caught_at(frame, OSError))
    assert (site and site.function) == function


P, L, S, INNER = ("program", PLAIN), ("package", PLAIN), ("standard", PLAIN), ("socket send", PLAIN)
TRIES, STANDARD_TRIES = ("package", HANDLED), ("standard", HANDLED)
SWALLOWS, HANDLES = ("program", SWALLOWED), ("program", HANDLED)

STANDINGS: dict[str, tuple[tuple[Layer, ...], str, str, str, str]] = {
    # flags of none, asks, expected, is_over
    "a plain call": ((P,), "MISTAKE", "MISTAKE", "MISTAKE", "MISTAKE"),
    "of a program that swallows": ((SWALLOWS, INNER), "MISTAKE", "MISTAKE", "NOTE", "NOTE"),
    "of a program that handles": ((HANDLES, INNER), "MISTAKE", "MISTAKE", "NOTE", "MISTAKE"),
    "of a program whose caller swallows": ((SWALLOWS, P), "MISTAKE", "MISTAKE", "NOTE", "MISTAKE"),
    "of a package": ((P, L), "MISTAKE", "MISTAKE", "MISTAKE", "MISTAKE"),
    "of a package that tries": ((P, TRIES), "MISTAKE", "QUESTION", "MISTAKE", "MISTAKE"),
    "of the standard library that tries": ((P, STANDARD_TRIES, INNER), "MISTAKE", "QUESTION", "MISTAKE", "MISTAKE"),
    "the socket module's own try": ((P, ("socket send", HANDLED)), "MISTAKE", "MISTAKE", "MISTAKE", "MISTAKE"),
    "of a package in a program that swallows": ((SWALLOWS, L), "MISTAKE", "MISTAKE", "NOTE", "NOTE"),
    "of a program that a package tries": ((TRIES, P), "MISTAKE", "MISTAKE", "MISTAKE", "MISTAKE"),
    "two packages deep": ((TRIES, L, L), "MISTAKE", "QUESTION", "MISTAKE", "MISTAKE"),
    "three packages deep": ((TRIES, L, L, L), "MISTAKE", "MISTAKE", "MISTAKE", "MISTAKE"),
    "two programs deep": ((SWALLOWS, P, P), "MISTAKE", "MISTAKE", "NOTE", "MISTAKE"),
    "three programs deep": ((SWALLOWS, P, P, P), "MISTAKE", "MISTAKE", "MISTAKE", "MISTAKE"),
    "eleven frames of the library deep": ((TRIES, *[S] * 11), "MISTAKE", "QUESTION", "MISTAKE", "MISTAKE"),
    "twelve frames of the library deep": ((TRIES, *[S] * 12), "MISTAKE", "MISTAKE", "MISTAKE", "MISTAKE"),
    "behind a loop": ((TRIES, ("loop run", PLAIN), L), "MISTAKE", "MISTAKE", "MISTAKE", "MISTAKE"),
    "by ssl's probe": ((P, ("ssl _create", PLAIN), INNER), "QUESTION", "QUESTION", "QUESTION", "QUESTION"),
    "by another function of ssl": ((P, ("ssl read", PLAIN), INNER), "MISTAKE", "MISTAKE", "MISTAKE", "MISTAKE"),
}  # fmt: skip
"""the functions around an illegal call -> how it is judged, by itself, asked by libraries, expected, and of a closed socket"""


@pytest.mark.parametrize("case", STANDINGS)
def test_how_an_illegal_call_is_judged(case: str) -> None:
    """It is a question where a library tries it, a note where the program expects its error, and a mistake otherwise."""
    layers, *expected = STANDINGS[case]
    flags = [(False, False, False), (True, False, False), (False, True, False), (False, False, True)]
    found = [
        asked(layers, lambda frame: standing(frame, asks=flag[0], expected=flag[1], is_over=flag[2]))  # noqa: B023
        for flag in flags
    ]
    assert found == [Standing[each] for each in expected]


FILLED = "x = [\n    " + ",\n    ".join(["print"] * 20) + "]"
INDENTED = FILLED.replace("\n", "\n    ")
PLACES = {
    "long behind the beginning": ("\n".join([FILLED] * 40) + "\ntry:\n    CALL()\nexcept OSError:\n    pass", True),
    "deep in a long block": ("try:\n    " + "\n    ".join([INDENTED] * 40) + "\n    CALL()\nexcept OSError:\n    pass", True),
    "long behind a block": ("try:\n    print\nexcept OSError:\n    pass\n" + "\n".join([FILLED] * 40) + "\nCALL()", False),
    "between two blocks": (f"{SWALLOWED.replace('CALL()', 'print')}\nCALL()\n{SWALLOWED.replace('CALL()', 'print')}", False),
    "in the second of two blocks": (f"{SWALLOWED.replace('CALL()', 'print')}\n{SWALLOWED}", True),
    "in the first of two blocks": (f"{SWALLOWED}\n{SWALLOWED.replace('CALL()', 'print')}", True),
    "in a with": ("with context:\n    CALL()", True),
    "in a lambda that is called in a try": (f"f = lambda: CALL()\n{SWALLOWED.replace('CALL()', 'f()')}", True),
}
"""source of a package around a call -> whether the call is inside a block that may take its error"""


@pytest.mark.parametrize("case", PLACES)
def test_block_is_found_by_the_place_of_the_call(case: str) -> None:
    """Whether a package makes the call in a block is told by the place of the instruction, also in long functions."""
    from contextlib import nullcontext

    source, is_inside = PLACES[case]
    layers: tuple[Layer, ...] = (("package", source),)
    found = asked(layers, lambda frame: standing(frame, asks=True, expected=False, is_over=False), context=nullcontext())
    assert found is (Standing.QUESTION if is_inside else Standing.MISTAKE)


TRIED: dict[str, tuple[tuple[Layer, ...], bool]] = {
    "a program does": ((SWALLOWS,), False),
    "a package does": ((P, ("package", SWALLOWED), INNER), True),
    "the standard library does": ((P, ("standard", SWALLOWED)), True),
    "a package handles it": ((P, TRIES), False),
    "the socket module does": ((P, ("socket send", SWALLOWED)), False),
    "two frames further a package does": ((P, ("package", SWALLOWED), L, S), True),
    "three frames further": ((P, ("package", SWALLOWED), L, S, L), False),
    "frames of the socket module do not count": ((P, ("package", SWALLOWED), L, S, INNER, INNER), True),
    "a program is in between": ((("package", SWALLOWED), P, L), False),
    "a loop is in between": ((("package", SWALLOWED), ("loop run", PLAIN), L), False),
}


@pytest.mark.parametrize("case", TRIED)
def test_whether_a_library_only_tries(case: str) -> None:
    """A library that swallows the error within three of its frames does not need the call to succeed."""
    layers, expected = TRIED[case]
    assert asked(layers, is_tried) is expected


WARNS = "import warnings\nwarnings.warn_explicit('x', ResourceWarning, 'x', 1)\nCALL()"
WARNS_BY_DEFAULT = "import warnings\nResourceWarning = 1\nwarnings\nCALL()"
FINALIZED: dict[str, tuple[tuple[Layer, ...], bool]] = {
    "a package's finalizer that warns": ((P, ("package __del__", WARNS), L, INNER), True),
    "the standard library's": ((P, ("standard __del__", WARNS)), True),
    "by a variable of its own": ((P, ("package __del__", WARNS_BY_DEFAULT)), True),
    "one that does not warn": ((P, ("package __del__", PLAIN)), False),
    "the program's": ((P, ("program __del__", WARNS), L), False),
    "the socket module's": ((P, ("socket __del__", WARNS)), False),
    "another function that warns": ((P, ("package close", WARNS)), False),
    "a program in between": ((("package __del__", WARNS), P, L), False),
    "a loop in between": ((("package __del__", WARNS), ("loop run", PLAIN), L), False),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("case", FINALIZED)
def test_whether_a_librarys_finalizer_closes(case: str) -> None:
    """It is the finalizer of a library's object, which warns that the object was not closed, and no code of the program."""
    layers, expected = FINALIZED[case]
    assert asked(layers, is_in_finalizer) is expected


REPRESENTED: dict[str, tuple[tuple[Layer, ...], bool]] = {
    "repr() of a socket": ((P, ("socket __repr__", PLAIN), INNER), True),
    "by way of another function": ((P, ("ssl __repr__", PLAIN), INNER, INNER), True),
    "the program's own": ((("program __repr__", PLAIN), INNER), False),
    "another call": ((P, INNER, INNER), False),
    "the frame itself does not count": ((P, ("socket __repr__", PLAIN)), False),
}


@pytest.mark.parametrize("case", REPRESENTED)
def test_whether_repr_asks(case: str) -> None:
    """A question that repr() of the socket asks is not the program's."""
    layers, expected = REPRESENTED[case]
    assert asked(layers, is_in_repr) is expected


@pytest.mark.parametrize(
    "function",
    ["close", "aclose", "server_close", "shutdown", "stop", "loseConnection", "disconnect", "__exit__", "__aexit__", "hangUp"],
)
def test_function_that_is_named_after_an_end_is_asked_for_a_close(function: str) -> None:
    """A program that calls such a function of a library asks for the close that the library makes."""
    assert is_asked_for(CallSite("program.py", 1, "main", LIBRARY, function))


@pytest.mark.parametrize("function", ["send", "send_all", "write", "request", "finish_request", "serve_forever", "change"])
def test_function_that_is_named_after_something_else_closes_by_itself(function: str) -> None:
    """A library that closes the socket when it is asked for something else does so of its own accord."""
    assert not is_asked_for(CallSite("program.py", 1, "main", LIBRARY, function))


def test_program_that_calls_close_itself_needs_no_library() -> None:
    """Where no library is in between, the line of the program is the close."""
    assert is_asked_for(CallSite("program.py", 1, "main"))
