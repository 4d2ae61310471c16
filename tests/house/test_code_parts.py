"""The parts of a source file that mutation.py changes, and those that it leaves."""

from __future__ import annotations

import os
import textwrap

import pytest
from code_parts import function_around, given_by, is_within, operator_spans, statement_around, unread_spans

HERE = os.name == "posix"


def unread(source: str) -> list[str]:
    """What does not run of a source of one-line parts."""
    lines = source.splitlines()
    return [lines[line - 1][begin:end] for (line, begin), (_, end) in unread_spans(source)]


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("x: int | None = 1", ["int | None"]),
        ("def f(a: int | str) -> bool | None: return a", ["bool | None", "int | str"]),
        ("__slots__ = ('a' * 2,)", ["__slots__ = ('a' * 2,)"]),
        ("@dataclass(frozen=True, slots=True, order=False)\nclass A: x = True", ["True", "True"]),
        ("if TYPE_CHECKING: x = 1\nelse: x = 2", ["x = 1", "TYPE_CHECKING"]),
        ("if os.name == 'posix': x = 1\nelse: x = 2", ["x = 2", "os.name == 'posix'"]),
        ("x = 1 if not os.name != 'posix' and y() else 2", ["os.name != 'posix'"]),
        ("x = os.name != 'posix' or y()", ["os.name != 'posix'"]),
        ("x = os.name == 'posix' or y()", ["y()", "os.name == 'posix'"]),
        ("x = getattr(socket, 'AF_INET', 2 - 1) - 1", ["2 - 1"]),
        ("if y or os.name != 'posix': x = 1", ["os.name != 'posix'"]),
        ("A = 1\nif os.name != 'posix': x = A", ["x = A", "os.name != 'posix'", "A = 1"]),
        ("A = 1\nif os.name != 'posix': x = A\nelse: x = -A", ["x = A", "os.name != 'posix'"]),
    ],
)
@pytest.mark.skipif(not HERE, reason="the expected parts are those of a POSIX system")
def test_what_does_not_run_is_left(source: str, parts: list[str]) -> None:
    """Annotations, and code and conditions for type checkers and other systems, but not the rest of such a condition."""
    assert unread(source) == parts


@pytest.mark.skipif(not HERE, reason="the expected parts are those of a POSIX system")
def test_what_follows_a_return_on_this_system_is_left() -> None:
    """A function that returns if the system is this one has code for the others behind it."""
    source = textwrap.dedent("""\
        def f():
            if os.name == "posix":
                return 1
            return 2
        """)
    assert unread(source) == ["return 2", 'os.name == "posix"']


def test_operators_and_not_the_stars_of_parameters() -> None:
    """An operator stands between its operands, or before its only one."""
    source = "def f(*, a): return a * -a"
    assert [source[begin:end] for (_, begin), (_, end) in operator_spans(source)] == [" * ", "-"]


@pytest.mark.parametrize(("line", "expected"), [(1, (1, 1)), (2, (2, 3)), (3, (2, 3)), (4, (4, 6)), (5, (4, 6)), (7, (7, 7))])
def test_the_statement_around_a_line(line: int, expected: tuple[int, int]) -> None:
    """All lines of the smallest statement, and only the head of one that has others in it."""
    source = textwrap.dedent("""\
        def f(a):
            while (a and
                   a.b):
                a = g(
                    a,
                )
            return a
        """)
    lines = statement_around(source, line)
    assert (lines[0], lines[-1]) == expected


@pytest.mark.parametrize(
    ("source", "names", "body"),
    [
        ("A, b.c = 1, 2", {"A", "b", "c"}, []),
        ("A: int = 1", {"A"}, []),
        ("def f(a=1):\n    b = a\n    return b\nx = 2", set(), [2, 3]),
        ("f(1)", set(), []),
    ],
)
def test_the_names_and_the_function_of_a_statement(source: str, names: set[str], body: list[int]) -> None:
    """An assignment gives its names, and the head of a function has the lines of its body."""
    found, lines = given_by(source, range(1, 2))
    assert (found, [*lines]) == (names, body)


def test_the_function_around_a_line() -> None:
    """The smallest function with all its lines; outside of functions the line alone."""
    source = "a = 1\ndef f():\n    b = 2\n    def g():\n        return b\n    return g\n"
    assert [[*function_around(source, line)] for line in (1, 3, 5, 6)] == [[1], [2, 3, 4, 5, 6], [4, 5], [2, 3, 4, 5, 6]]
    assert [is_within(source, line) for line in range(1, 7)] == [False, False, True, True, True, True]
