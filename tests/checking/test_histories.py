"""Every call of every socket of the corpus, as a run with charts keeps it; the findings are those of a run that keeps few."""

from __future__ import annotations

import ast
import re
import runpy
import sys
import warnings
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import pytest
from checking.golden import golden, neutral
from checking.test_programs import CORRECT, FAULTY, promised

from lifecycle.checking import Finding, checkers, session
from lifecycle.checking.checkers import Checker
from lifecycle.checking.settings import Mode
from lifecycle.checking.track import SocketTrack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a system accepts was measured on Linux")

BY_CHANCE = re.compile(
    r"\b(asyncio|threading|subprocess|multiprocessing|socketserver|http|xmlrpc|_socket|selectors|send_fds|SCM_RIGHTS)\b"
)
"""what makes calls in an order that depends on time or on the version of Python, or sends descriptors, whose numbers differ"""

STEADY = [path for path in (*FAULTY, *CORRECT) if not BY_CHANCE.search(path.read_text(encoding="utf-8"))]


def run_keeping_all(program: Path) -> tuple[list[Finding], list[SocketTrack]]:
    """The findings of a program that runs in this process, and its sockets with all their calls."""
    checker = Checker(Mode.OBSERVE, keep_all=True)
    session.start(checker)
    first = checkers.other_number()
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), suppress(OSError, ValueError):
            warnings.simplefilter("ignore", ResourceWarning)
            runpy.run_path(str(program), run_name="__main__")
        session.judge_what_is_left(first)
    finally:
        session.stop(checker)
    return checker.findings, checker.tracks


def written(program: Path, tracks: list[SocketTrack]) -> str:
    """Each call: its arguments, the states before and after, the outcome, the error, the line and the function."""
    lines = [f"{len(tracks)} sockets"]
    heads = {
        line: node.lineno  # Python 3.13 closes an item of a long `with` at its own line
        for node in ast.walk(ast.parse(program.read_bytes()))
        if isinstance(node, ast.With)
        for line in range(node.lineno, node.body[0].lineno)
    }
    for track in tracks:
        ends = " -> ".join(re.sub(r":\d+$|/.*/", "...", end) or "nowhere" for end in track.ends)
        lines.append(f"{track.name} of family {int(track.family)}, {ends}")
        for each in track.events:
            line = heads.get(each.place.line, each.place.line)
            place = f"{line} {each.place.function}" if each.place.file == str(program) else "a library"
            assert each.ended is not None
            assert 0 < each.began <= each.ended
            outcome = f"{each.outcome} {each.error}".strip()
            arguments = re.sub(r"(', )\d{4,5}\b|0x\w+|/.*/", r"\1...", each.arguments)
            lines.append(f"  {place}: {each.call}({arguments}) {each.state} -> {each.next_state}: {outcome}")
    return neutral("\n".join(lines), program)


@pytest.mark.parametrize("program", STEADY, ids=lambda program: program.stem)
def test_every_call_is_kept_in_the_recorded_words(program: Path) -> None:
    """A run that keeps every call has the recorded ones, and finds what the program's comments promise, as any run does."""
    findings, tracks = run_keeping_all(program)
    text = written(program, tracks)
    assert text.splitlines() == golden("histories", f"{program.parent.name} {program.stem}", text).splitlines()
    assert sorted((each.kind.value, each.line) for each in findings) == sorted(promised(program))


def test_data_is_not_kept(tmp_path: Path) -> None:
    """What a program sends and receives is not kept, by whichever call: its length stands in its place."""
    program = tmp_path / "program.py"
    calls = (
        "a.send(b'secret')", "b.recv(6)", "a.sendall(bytearray(b'secret'))", "b.recv_into(bytearray(6))",
        "a.sendmsg([b'sec', b'ret'])", "b.recvmsg(6)", "a.send(b'secret', 0)", "b.recvfrom(6)",
        "a.send(memoryview(b'secret'))", "b.recvmsg_into([bytearray(3), bytearray(3)])", "a.send(b'secret')",
        "b.recvfrom_into(bytearray(6), 6)",
    )  # fmt: skip
    source = "\n".join(["import socket", "a, b = socket.socketpair()", "with a, b:", *(f"    {call}" for call in calls)])
    program.write_text(source, encoding="utf-8")
    findings, tracks = run_keeping_all(program)
    arguments = [event.arguments for track in tracks for event in track.events[1:-1]]
    assert arguments == [
        "<6 bytes>", "<6 bytes>", "(<3 bytes>, <3 bytes>)", "<6 bytes>, 0", "<6 bytes>", "<6 bytes>",
        "6", "<6 bytes>", "6", "6", "(<3 bytes>, <3 bytes>)", "<6 bytes>, 6",
    ]  # fmt: skip
    assert "secret" not in written(program, tracks)
    assert findings == []
