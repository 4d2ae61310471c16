"""The whole text of each format, of the codes of all cells, and of summaries, compared with the recorded one."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from checking.golden import golden

import lifecycle
from lifecycle.checking.formats.codes import CODES, code_of
from lifecycle.checking.formats.problems import Problem, ProjectSettings
from lifecycle.checking.formats.writers import WRITERS
from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.observed import DATAGRAM, OTHER, STREAM
from lifecycle.checking.run_problems import failing, headline, remaining
from lifecycle.checking.run_text import MOST_BLOCKS, for_terminal, summary
from lifecycle.roles import ROLES

SOURCE = (
    "import socket\n\tserver.accept()  # é\nif x: long_name.send(b'')\n\n   \nclient . recv (9); recv\n"
    "send_all = sock.sendall(b'')\n"
)

PROBLEMS = (
    Problem("LC101", "order", "app.py", 3, 16, 'send() on a <closed> "socket"', ("Why & how.", "History of stream#1:", "  x")),
    Problem("LC206", "portability", "app.py", 2, 8, "listen() here, 100% sure: no", must=False),
    Problem("LC301", "leak", "app.py", 0, 0, "never closed", ("Close it.",)),
    Problem("LC401", "race", "folder/gone.py", 7, 2, "closed meanwhile\r\nby a thread"),
    Problem("LC502", "tls", "app.py", 5, 1, "nothing stands there", ("Ünïcode \x1b[1m",)),
    Problem("LC602", "loss", "app.py", 6, 60, "behind the line"),
    Problem("LC101", "order", "a b%,:c.py", 1, 0, "of a path that has to be quoted"),
)
UNSEEN = ("the sockets of uvloop", "more, of <another> 50% : kind")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a program, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("unseen", [(), UNSEEN], ids=["seen", "unseen"])
@pytest.mark.parametrize("count", [0, 1, len(PROBLEMS)])
@pytest.mark.parametrize("name", WRITERS)
def test_format_is_written_as_recorded(project: Path, name: str, count: int, unseen: tuple[str, ...]) -> None:
    """Problems with and without a line, certain and on some paths, are written whole as recorded, and what was not seen."""
    text = WRITERS[name](PROBLEMS[:count], unseen) or "(empty)"
    if name == "sarif":  # without what a test of the codes has, and the version
        data = json.loads(text)
        driver = data["runs"][0]["tool"]["driver"]
        assert driver.pop("version") == lifecycle.__version__
        rules = driver.pop("rules")
        assert [(rule["id"], rule["shortDescription"], rule["fullDescription"]) for rule in rules] == [
            (code.name, {"text": code.title}, {"text": code.explanation}) for code in CODES
        ]
        text = json.dumps(data, indent=1) + "\n" + " ".join(rule["name"] for rule in rules)
    section = f"{name} of {count} problems{' and what was not seen' if unseen else ''}"
    assert text.splitlines() == golden("formats", section, text).splitlines()


def test_code_of_every_cell_is_the_recorded_one() -> None:
    """Each call that a role forbids in a state has the recorded code, as an error of the order and as one of portability."""
    lines = [f"{code.name} {code.kind.value}: {code.title}\n  {code.explanation}" for code in CODES]
    places = [
        (role.name, state.name, state.facts, role.illegal(state.name)) for role in ROLES.values() for state in role.states
    ]
    for states in (STREAM, DATAGRAM, OTHER):
        for state in states:
            forbidden = tuple(call.name for call in state.role.calls if call.name not in state.legal)
            places.append((f"Python's {state.role.name}", state.name, state.facts, forbidden))
    for role, name, facts, forbidden in places:
        found: dict[str, list[str]] = {}
        for call in forbidden:
            codes = [code_of(kind, facts, call).name for kind in (FindingKind.ORDER, FindingKind.PORTABILITY)]
            assert codes[1] == f"LC2{codes[0][3:]}"
            assert code_of(FindingKind.NOTE, facts, call).name == codes[0]
            found.setdefault(codes[0], []).append(call)
        lines += [f"{role} {name}: {code} {' '.join(calls)}" for code, calls in sorted(found.items())]
        leaks = {call: code_of(FindingKind.LEAK, facts, call).name for call in ("close", "shutdown")}
        assert leaks == {"close": "LC301", "shutdown": "LC301"}
        assert code_of(FindingKind.RACE, facts, "recv").name == "LC401"
    text = "\n".join(lines)
    assert text.splitlines() == golden("codes", "every code and cell", text).splitlines()


def finding(number: int = 1, line: int = 3, **others: Any) -> dict[str, Any]:
    """A finding as data."""
    event = {"call": "send", "outcome": "failed", "thread": "T", "error": "", "state": "open", "next_state": "open", "line": 3}
    head = f"order error: send() on a stream socket, at app.py:{line} in main"
    given: dict[str, Any] = {
        "text": f"{head}\n  There is no connection.\n  Call connect() first.",
        "kind": "order", "code": "LC103", "role": "stream", "state": "open", "call": "send", "file": "app.py", "line": line,
        "function": "main", "library": "", "socket": f"stream#{number}", "process": 1, "test": "", "thread": "T",
        "history": [event | {"file": "app.py"}],
    }  # fmt: skip
    return given | others


def leak(number: int, line: int = 2, **others: Any) -> dict[str, Any]:
    """A leak as data."""
    text = f"leak: a stream socket was never closed, at app.py:{line} in main\n  Close it."
    return finding(number, line, kind="leak", code="LC301", call="close", text=text, **others)


FINDINGS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "one": [finding()],
    "the same twice": [finding(1), finding(2)],
    "in tests": [finding(each, test=f"test_{name}") for each, name in enumerate("aab")],
    "in three tests": [finding(each, test=f"test_{name}") for each, name in enumerate("abc")],
    "in four tests": [finding(each, test=f"test_{name}") for each, name in enumerate("abcd")],
    "in five tests": [finding(each, test=f"test_{name}") for each, name in enumerate("abcde")],
    "through a library": [finding(library="http/client.py:9 send"), finding(function="other", line=6)],
    "a note": [finding(kind="note")],
    "two kinds": [leak(9), finding(1), finding(2, kind="portability", code="LC203", line=2)],
    "a leak that follows": [finding(1), leak(1)],
    "a leak that follows, and one that does not": [finding(1), leak(1), leak(2)],
    "a leak of another process": [finding(1), leak(1, process=2)],
    "a leak behind a note": [finding(1, kind="note"), leak(1)],
    "two leaks of one line that follow": [finding(1), finding(2), leak(1), leak(2)],
    "two leaks that follow from two": [finding(1), finding(2, line=6), leak(1), leak(2)],
    "without a history": [finding(history=[])],
    "as many causes as are shown": [finding(each, line=each + 1) for each in range(MOST_BLOCKS)],
    "more causes than are shown": [
        *(finding(each, line=each % 6 + 1, call=f"send{each // 6}") for each in range(MOST_BLOCKS + 3)),
        *(leak(30 + each, line=each) for each in range(4)),
        finding(50, kind="portability", code="LC203", line=2),
        finding(51, kind="race", code="LC401", line=2),
    ],
    "very many that follow": [finding(each, line=each + 1) for each in range(MOST_BLOCKS)] + [leak(0), leak(1, line=4)],
}  # fmt: skip


@pytest.mark.parametrize("name", FINDINGS)
def test_summary_is_written_as_recorded(project: Path, name: str) -> None:
    """The summary of a run has a block for each cause, or a table and a block for each code, and leaks with their causes."""
    lines = [*summary(FINDINGS[name]), "", "-- all of them"]
    lines += summary(FINDINGS[name], 3, shows_all=True, unseen=("what is lost", "more"))
    text = "\n".join(lines)
    assert text.splitlines() == golden("summaries", name, text).splitlines()


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "no findings"), (1, "1 finding at 1 place (1 race)"), (2, "2 findings at 2 places (2 races)")],
)
def test_headline_counts(count: int, words: str) -> None:
    """The headline has the numbers of findings and of places in their singular or plural."""
    groups = [[finding(each, kind="race")] for each in range(count)]
    assert headline(groups) == f"lifecycle: {words}"
    kinds = ("loss", "loss", "tls", "tls", "portability", "portability", "note", "note", "leak", "leak", "order")
    expected = "(1 order error, 2 not portable, 2 leaks, 2 TLS errors, 2 losses, 2 notes), and 1 more of the same"
    assert headline([[finding(kind=kind) for kind in kinds]], 1) == f"lifecycle: 11 findings at 1 place {expected}"


def test_what_is_certain_stands_first_and_tests_last(project: Path) -> None:
    """Groups are ordered by kind; those in tests stand behind all others, and within a kind the order stays."""
    given = [
        finding(file="tests/app.py"), leak(1), finding(file="b.py"), finding(file="test_app.py"), finding(file="a.py"),
        finding(kind="race", file="conftest.py"), finding(kind="portability", file="attest/app.py"), finding(file="latest.py"),
    ]  # fmt: skip
    left = remaining(given, ProjectSettings(project))
    files = ["b.py", "a.py", "latest.py", "attest/app.py", "app.py", "tests/app.py", "test_app.py", "conftest.py"]
    assert [group[0]["file"] for group in left] == files
    assert [group[0]["file"] for group in remaining(given, ProjectSettings(project, frozenset({"LC103"})))] == ["app.py"]


def test_baseline_of_a_run_keeps_what_is_known(project: Path) -> None:
    """What a run has written to a baseline does not come back, and another line does; the run that writes it reports none."""
    known, settings = str(project / "known.json"), ProjectSettings(project)
    assert remaining([finding()], settings, write_baseline=known) == []
    assert remaining([finding()], settings, baseline=known) == []
    left = remaining([finding(), finding(line=6), finding(9)], settings, baseline=known)
    assert [group[0]["line"] for group in left] == [6]


def test_run_fails_with_the_kinds_that_matter() -> None:
    """A run fails where a group is of one of the kinds."""
    assert failing([[leak(1)], [finding()]], ["order"])
    assert not failing([[leak(1)], [finding(kind="note")]], ["order", "race"])
    assert not failing([], ["order"])


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal without a screen is POSIX's")
@pytest.mark.parametrize("columns", [20, 40, 60, 500])
def test_terminal_gets_its_width_and_colours(project: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """On a terminal lines are broken at words, under their own beginning, and coloured; the program's lines are not broken."""
    import pty

    lines = [*summary([*FINDINGS["more causes than are shown"][:3], leak(1)], shows_all=True)]
    lines += [f"  a line with a {'word ' * 8}", "x" * 70, f"lifecycle: as{' long' * 8}"]
    lines += [f"     1 | {'program ' * 9}", f"      | {'^' * 60}", ""]
    text = "\n".join(lines)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, theirs = pty.openpty()
    try:
        shown = for_terminal(text, theirs)
        monkeypatch.setenv("NO_COLOR", "1")
        plain = for_terminal(text, theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == plain
    assert shown != plain
    text = shown.replace("\x1b", "ESC")
    assert text.splitlines() == golden("summaries", f"on a terminal of {columns} columns", text).splitlines()


def test_text_stays_as_it_is_elsewhere(tmp_path: Path) -> None:
    """A file gets the text as it is, and so does a descriptor that is closed."""
    with open(tmp_path / "file", "w", encoding="utf-8") as file:
        assert for_terminal("x" * 600, file.fileno()) == "x" * 600
        number = file.fileno()
    assert for_terminal("lifecycle: 1 finding at 1 place", number) == "lifecycle: 1 finding at 1 place"
