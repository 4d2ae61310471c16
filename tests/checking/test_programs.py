"""The corpus: small programs with one mistake each, found at the right line, and correct ones without any finding."""

from __future__ import annotations

import re
import runpy
import sys
import warnings
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import pytest

from lifecycle import IllegalCall
from lifecycle.checking import Finding, checked_sockets
from lifecycle.checking.formats.codes import code_named
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


def test_corpus_is_as_large_as_promised() -> None:
    """There are at least forty programs of each sort, and every faulty one says what should be found."""
    assert len(FAULTY) >= 40
    assert len(CORRECT) >= 40
    assert all(promised(program) for program in FAULTY)
    assert not any(promised(program) for program in CORRECT)


@pytest.mark.parametrize("program", FAULTY, ids=lambda program: program.stem)
def test_fault_is_found_at_its_line(program: Path) -> None:
    """Exactly the faults that the comments name are found, at their lines, each with a reason and a history."""
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


HAZARDS = {
    "select_on_a_closed_socket", "registered_when_closed", "registered_with_poll_when_closed", "closed_under_a_transport",
    "reader_removed_too_late", "server_closed_while_it_serves", "option_set_too_late",
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
    assert [(finding.kind.value, finding.line) for finding in run_checked(program, strict=True)] == promised(program)
