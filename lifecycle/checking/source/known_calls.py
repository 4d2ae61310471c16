"""Known effects of calls outside a module on their arguments, as data: one set for each effect."""

HARMLESS = frozenset({
    "bool", "getattr", "hasattr", "id", "isinstance", "len", "print", "repr", "str", "type",
    "select.select", "selectors.DefaultSelector", "time.sleep",
})  # fmt: skip
"""functions that keep nothing of their arguments"""

WAITS = frozenset({"select.select"})
"""functions among them that ask sockets for their descriptors"""

WRAPPING = frozenset({"wrap_socket"})
"""methods that take a socket out of its object, and return another object over it"""

ENTERING = frozenset({"enterContext", "enter_async_context", "enter_context"})
"""methods that return what their argument's __enter__() does, and at some later time close it"""

AWAITING = frozenset({"asyncio.run", "asyncio.shield", "asyncio.wait_for"})
"""functions that return what their first argument makes when it is awaited; so does a loop's method"""

RUNS = "run_until_complete"

EXPECTING = frozenset({"pytest.raises", "pytest.warns", "contextlib.suppress"})
"""context managers whose block is meant to fail"""

ASSERTIONS = ("addCleanup", "assert", "enterContext", "fail", "skipTest", "subTest")
"""how the names of unittest's methods begin that change no object before the test has ended"""
