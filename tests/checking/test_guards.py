"""What stands around a call: whether a line of the program asks for the close that a library makes."""

from __future__ import annotations

import pytest

from lifecycle.checking.call_sites import CallSite
from lifecycle.checking.guards import is_asked_for

LIBRARY = "library.py:1 _end"


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
