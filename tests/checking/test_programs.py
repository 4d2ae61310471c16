"""The corpus: small programs with one mistake each, found at the right line, and correct ones without any finding."""

from __future__ import annotations

import ast
import re
import runpy
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import pytest
from checking.golden import golden, neutral

from lifecycle import IllegalCall
from lifecycle.checking import Finding, checked_sockets
from lifecycle.checking.formats.codes import code_named
from lifecycle.checking.run_text import summary
from lifecycle.roles.python.hazards import WAIT_CLOSED

PROGRAMS = Path(__file__).parent / "programs"
FAULTY = sorted((PROGRAMS / "faulty").glob("*.py"))
CORRECT = sorted((PROGRAMS / "correct").glob("*.py"))
NOTED = sorted((PROGRAMS / "notes").glob("*.py"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a system accepts was measured on Linux")


def promised(program: Path) -> list[tuple[str, int]]:
    """The (kind, line) that a program's comments promise."""
    lines = enumerate(program.read_text(encoding="utf-8").splitlines(), 1)
    return [(found[1], number) for number, line in lines if (found := re.search(r"# FOUND: (\w+)$", line))]


def run_checked(program: Path, mode: str = "observe", *, strict: bool = False) -> list[Finding]:
    """The findings of a program that runs in this process; its errors are ignored."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()), checked_sockets(mode, strict=strict) as findings:
        warnings.simplefilter("ignore", ResourceWarning)
        with suppress(OSError, ValueError):
            runpy.run_path(str(program), run_name="__main__")
    return findings


SHOWN = ("kind", "role", "state", "call", "line", "function", "legal", "remedy", "left_out")


def in_full(program: Path, findings: list[Finding]) -> str:
    """The summary of the findings, and of each its own text, and the data that it does not show.

    What a library does differs between versions of Python: its calls are left out, and findings of them.
    """
    ordered = sorted(findings, key=lambda finding: (finding.line, finding.kind, finding.code))
    data = [finding.as_data() for finding in ordered if not finding.place.library]
    if "asyncio" in program.read_text(encoding="utf-8"):
        data = [{**each, "history": []} for each in data]
    lines = [*summary(data, shows_all=True), ""]
    for each in data:
        lines += each["text"].splitlines()
        lines += [f"{key}: {each[key]}" for key in SHOWN]
        lines += [f"  {event['call']} {event['outcome']} -> {event['next_state']}" for event in each["history"]]
    return neutral("\n".join(lines), program)


def test_corpus_is_as_large_as_promised() -> None:
    """There are at least forty programs of each sort, and every faulty one says what should be found."""
    assert len(FAULTY) >= 40
    assert len(CORRECT) >= 40
    assert all(promised(program) for program in FAULTY)
    assert not any(promised(program) for program in CORRECT)


@pytest.mark.parametrize("program", FAULTY, ids=lambda program: program.stem)
def test_fault_is_found_at_its_line(program: Path) -> None:
    """Exactly the faults that the comments name are found, at their lines, in the recorded words, each with a history."""
    findings = run_checked(program)
    assert sorted((finding.kind.value, finding.line) for finding in findings) == sorted(promised(program))
    for finding in findings:
        assert finding.file == str(program)
        assert finding.reason
        code = code_named(finding.code)
        assert code is not None
        is_by_a_table = code.hazard is None and finding.kind not in ("leak", "race")
        is_legal_here = finding.state == "poisoned" or "behind" in finding.reason
        assert not is_by_a_table or is_legal_here or finding.call not in finding.legal
        assert finding.history or code.hazard is WAIT_CLOSED
    text = in_full(program, findings)
    assert text.splitlines() == golden("findings", f"{program.parent.name} {program.stem}", text).splitlines()


HAZARDS = {
    "select_on_a_closed_socket", "registered_when_closed", "registered_with_poll_when_closed", "closed_under_a_transport",
    "reader_removed_too_late", "server_closed_while_it_serves", "option_set_too_late", "modified_when_closed",
    "option_refused_too_late", "closed_before_its_one_event", "closed_before_another_with_its_number",
    "option_set_too_late_by_a_library", "option_cleared_and_set_too_late",
}  # fmt: skip
"""programs whose mistake is not a call that a table forbids, so that nothing is refused"""
ORDERED = [
    program for program in FAULTY if {"order", "portability"} & dict(promised(program)).keys() and program.stem not in HAZARDS
]
UNPREDICTABLE = {"closed_behind_its_back", "closed_behind_its_close", "poisoned_for_receiving", "poisoned_for_sending"}
"""only the answer of the system shows it"""


@pytest.mark.parametrize("program", ORDERED, ids=lambda program: program.stem)
def test_fault_is_stopped_at_its_line(program: Path) -> None:
    """Enforcing refuses the first call that is out of order, at its line, whether or not this system would have accepted it."""
    first = next(line for kind, line in promised(program) if kind in ("order", "portability"))
    with warnings.catch_warnings(), redirect_stdout(StringIO()), checked_sockets("enforce") as findings:
        warnings.simplefilter("ignore", ResourceWarning)
        with suppress(IllegalCall, OSError):
            runpy.run_path(str(program), run_name="__main__")
    assert findings[0].line == first
    assert findings[0].history[-1].outcome == "illegal" or program.stem in UNPREDICTABLE


@pytest.mark.parametrize("program", CORRECT, ids=lambda program: program.stem)
@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_correct_program_is_left_alone(program: Path, mode: str) -> None:
    """Nothing is found in a correct program, and enforcing refuses none of its calls."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()), checked_sockets(mode) as findings:
        warnings.simplefilter("ignore", ResourceWarning)
        runpy.run_path(str(program), run_name="__main__")
    assert [str(finding) for finding in findings] == []


@pytest.mark.parametrize("program", NOTED, ids=lambda program: program.stem)
def test_guarded_call_is_a_note(program: Path) -> None:
    """What a program expects to fail is told to who asks for it, and is neither a finding nor refused."""
    assert run_checked(program) == run_checked(program, "enforce") == []
    notes = run_checked(program, strict=True)
    assert [(finding.kind.value, finding.line) for finding in notes] == promised(program)
    text = in_full(program, notes)
    assert text.splitlines() == golden("findings", f"{program.parent.name} {program.stem}", text).splitlines()


LIMIT = 0.05  # seconds that a call waits which the remedy has made legal, and to which nobody answers
ARGUMENTS = {"bind": "ADDRESS[{0}.family]", "connect": "PEER[{0}.type]", "listen": ""}
REMEDIED = {
    "accept_before_listen", "accept_unbound", "listen_unbound", "name_before_bind",
    "peer_before_connect", "peer_of_a_datagram_socket", "poll_unbound_datagram", "receive_before_connect",
    "receive_unbound_datagram", "send_before_connect", "send_datagram_to_nobody", "sendall_when_only_bound",
    "sendmsg_to_nobody", "unix_listen_unbound",
}  # fmt: skip
"""the programs of the corpus whose finding has a sequence of calls"""


@pytest.fixture
def peers() -> Iterator[dict[int, object]]:
    """Kind of socket -> the address of one that is there."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        yield {socket.SOCK_STREAM: listener.getsockname(), socket.SOCK_DGRAM: receiver.getsockname()}


def remedied(program: Path, found: Finding) -> str:
    """The program with the calls of the remedy before the statement of the finding."""
    lines = program.read_text(encoding="utf-8").splitlines()
    line = lines[found.line - 1]
    calls = (each for each in ast.walk(ast.parse(line.strip())) if isinstance(each, ast.Call))
    owner = next(
        ast.unparse(each.func.value) for each in calls if isinstance(each.func, ast.Attribute) and each.func.attr == found.call
    )
    indent = line[: len(line) - len(line.lstrip())]
    steps = [f"{indent}{owner}.{step}({ARGUMENTS[step].format(owner)})" for step in found.remedy or ()]
    return "\n".join([*lines[: found.line - 1], *steps, *lines[found.line - 1 :]])


@pytest.mark.parametrize("program", [each for each in ORDERED if each.stem in REMEDIED], ids=lambda program: program.stem)
def test_program_that_follows_the_remedy_has_no_finding(program: Path, peers: dict[int, object]) -> None:
    """With the calls of the remedy before the mistake, the same program has no finding."""
    (found,) = run_checked(program)
    assert found.remedy
    names = {"__name__": "__main__", "PEER": peers, "ADDRESS": {socket.AF_INET: ("127.0.0.1", 0), socket.AF_UNIX: ""}}
    former = socket.getdefaulttimeout()
    socket.setdefaulttimeout(LIMIT)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), checked_sockets() as findings:
            warnings.simplefilter("ignore", ResourceWarning)
            with suppress(OSError):
                exec(compile(remedied(program, found), str(program), "exec"), names)
    finally:
        socket.setdefaulttimeout(former)
    assert findings == []
