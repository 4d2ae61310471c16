"""`lifecycle run`: the program runs as without it, and the findings are printed at its end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checking.running import CHILDREN, FAULTY, posix, run_with_report, write
from cli.command import COMMAND, environment, run_command
from long_form import WHOLE
from loopback import PROGRAM_ENDS

PROGRAMS = Path(__file__).parent / "programs"


def test_program_is_as_it_would_be_without(tmp_path: Path) -> None:
    """Arguments, name, path, flags, output and exit code are the program's own."""
    script = write(
        tmp_path,
        "import os, sys, signal, warnings\n"
        "print(sys.argv, __name__, __file__, sys.path, sys.flags, sys.warnoptions)\n"
        "import socket\n"
        "print(warnings.filters, socket.__spec__, socket.__loader__, signal.getsignal(signal.SIGTERM))\n"
        "print(signal.signal(signal.SIGTERM, signal.SIG_IGN), signal.signal(signal.SIGTERM, signal.SIG_DFL))\n"
        "print(signal.getsignal(signal.SIGTERM), signal.signal.__module__, signal.signal.__name__)\n"
        "print([finder for finder in sys.meta_path if 'lifecycle' in str(finder)])\n"
        "print(sorted(name for name in os.environ if name not in ('LIFECYCLE_RUN', 'PYTHONPATH')))\n"
        "sys.exit(7)\n",
    )
    arguments = (script, "--report", "x", "-m", "y", "--", "z")
    plain = subprocess.run(
        (sys.executable, "-W", "error", *arguments),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PROGRAM_ENDS,
        check=False,
    )
    done = run_command("run", *arguments)
    assert done.returncode == plain.returncode == 7
    assert re.sub("0x[0-9a-f]+", "", done.stdout) == re.sub("0x[0-9a-f]+", "", plain.stdout)
    assert done.stderr == "lifecycle: no findings\n"


def test_summary_says_what_to_do_and_where(tmp_path: Path) -> None:
    """The summary on standard error has the mistake, its place, the remedy and the history; quiet means none."""
    script = write(tmp_path, FAULTY)
    done = run_command("run", script)
    assert done.stdout == ""
    assert done.returncode == 0
    head, _, rest = done.stderr.partition("\n\n")
    assert head == "lifecycle: 1 finding at 1 place (1 order error)"
    assert f"{script}:4:14: LC104 order error: accept() on a stream socket in state 'open', in <module>\n" in rest
    assert "    4 | sock.accept()\n      |      ^^^^^^\n" in rest
    assert "Call bind(), then listen() first." in rest
    assert f"{script}:2  socket() -> open" in rest
    assert run_command("run", "--quiet", script).stderr == ""


def test_report_has_the_findings(tmp_path: Path) -> None:
    """The report has a key `findings`, each with the promised keys, and an empty list when there are none."""
    _, (found,) = run_with_report(tmp_path, write(tmp_path, FAULTY))
    assert {"kind", "role", "state", "call", "file", "line", "legal", "remedy", "history"} <= found.keys()
    assert (found["kind"], found["state"], found["call"], found["line"]) == ("order", "open", "accept", 4)
    assert found["remedy"] == ["bind", "listen"]
    assert run_with_report(tmp_path, "-c", "pass")[1] == []


LEAKING = """\
import socket
import sys
import warnings

warnings.simplefilter("ignore", ResourceWarning)
for _ in range(3):
    kept = socket.socket()
    try:
        kept.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
sys.exit(3)
"""


def test_run_fails_on_the_kinds_that_were_asked_for(tmp_path: Path) -> None:
    """--fail-on and --exit-code turn the program's exit code into 1 where there is such a finding, and only there."""
    script = write(tmp_path, LEAKING)
    assert run_command("run", "--fail-on", "order,race", script).returncode == 3
    assert run_command("run", "--fail-on", "race,leak", script).returncode == 1
    assert run_command("run", "--exit-code", script).returncode == 1
    assert "'wrong' is not one of order" in run_command("run", "--fail-on", "wrong", script).stderr


def test_notes_are_shown_on_request(tmp_path: Path) -> None:
    """A guarded farewell is shown by --strict only; repeats of a cause are one block that counts them."""
    script = write(tmp_path, LEAKING)
    assert "shutdown() on" not in run_command("run", script).stderr
    strict = run_command("run", "--strict", script).stderr
    assert "LC103 note: shutdown() on a stream socket in state 'open', in <module> [3 times]" in strict
    assert strict.count("Leave it out: close() is enough where there is no connection.") == 1


@pytest.mark.parametrize("name", ["json", "github", "sarif", "junit"])
def test_problems_in_other_formats(tmp_path: Path, name: str) -> None:
    """Problems are written in the formats of lint, to standard error or to a file."""
    script = write(tmp_path, LEAKING)
    out = tmp_path / "out"
    assert "LC301" not in run_command("run", "--output-format", name, "--output", str(out), script).stderr
    text = out.read_text(encoding="utf-8")
    assert "LC301" in text
    if WHOLE or name == "json":
        assert run_command("run", "--output-format", name, script).stderr == text


def test_known_and_ignored_problems_are_silent(tmp_path: Path) -> None:
    """A baseline, a comment and the project's settings silence a problem, in the report, too."""
    base = tmp_path / "known.json"
    script = write(tmp_path, LEAKING)
    assert run_command("run", "--write-baseline", str(base), script).stderr == "lifecycle: no findings\n"
    assert run_command("run", "--exit-code", "--baseline", str(base), script).returncode == 3
    commented = write(tmp_path, LEAKING.replace("socket.socket()", "socket.socket()  # lifecycle: ignore[LC301]"), "other.py")
    assert run_with_report(tmp_path, commented)[1] == []
    (tmp_path / "pyproject.toml").write_text('[tool.lifecycle]\nignore = ["LC301"]\n', encoding="utf-8")
    done = subprocess.run(
        (*COMMAND, "run", script), cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=PROGRAM_ENDS,
        check=False,
    )  # fmt: skip
    assert done.stderr == "lifecycle: no findings\n"


def test_summary_of_many_places_is_short(tmp_path: Path) -> None:
    """Of many places the first screen has a table by cause, and one block for each; --all shows them all."""
    lines = "".join(f"s{number} = socket.socket()\n" for number in range(60))
    script = write(tmp_path, f"import socket\n{lines}s0.listen()\n")
    text = run_command("run", script).stderr
    assert text.startswith("lifecycle: 61 findings at 61 places (1 not portable, 60 leaks)\n\nfindings  places  fix first\n")
    table = text.split("\n\n")[1].splitlines()[1:]
    assert [line.split()[:3] for line in table] == [["1", "1", "LC206"], ["59", "59", "LC301"]]
    assert text.count(": LC301 leak") == 1
    assert "Its socket was never closed, either (LC301): " in text
    assert "lifecycle: 58 more places are not shown here: --all shows them" in text
    assert run_command("run", "--all", script).stderr.count(": LC301 leak") == 59


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_has_colours_and_its_width() -> None:
    """On a terminal lines are broken at its width, but for the program's, and coloured unless NO_COLOR is set."""
    import pty

    from lifecycle.checking.run_text import for_terminal

    text = "lifecycle: 1 finding at 1 place (1 leak)\n" + "x.py:1:1: LC301 leak: " + "word " * 30 + "\n"
    text += "   12 | " + "y" * 200 + "\n      | ^^^\n"
    master, slave = pty.openpty()
    try:
        shown = for_terminal(text, slave)
        assert "\x1b[31;1mLC301 leak\x1b[0m:" in shown
        lines = re.sub(r"\x1b\[[\d;]*m", "", shown).splitlines()
        assert max(len(line) for line in lines if "y" * 9 not in line) <= 80
        assert "   12 | " + "y" * 200 in lines
    finally:
        os.close(master)
        os.close(slave)
    with open(os.devnull) as nowhere:
        assert for_terminal(text, nowhere.fileno()) == text


def test_what_stays_open_to_the_end_is_a_leak(tmp_path: Path) -> None:
    """A file that keeps a closed socket open, and a number that detach() gave and nobody closed, are leaks where they began."""
    script = write(
        tmp_path,
        "import os, socket\n"
        "left, right = socket.socketpair()\n"
        "reader = left.makefile('rb')\n"
        "left.close()\n"
        "number = right.detach()\n"
        "copy = socket.fromfd(number, socket.AF_UNIX, socket.SOCK_STREAM)\n"
        "copy.close()\n"
        "closed = socket.socket().detach()\n"
        "os.close(closed)\n",
    )
    _, found = run_with_report(tmp_path, script)
    assert sorted((each["code"], each["kind"], each["line"]) for each in found) == [("LC303", "leak", 2), ("LC304", "leak", 5)]


def test_summary_says_what_was_not_seen(tmp_path: Path) -> None:
    """A socket that C code made, and one whose descriptor was handed out, are counted."""
    script = write(
        tmp_path,
        "import ctypes, socket\n"
        "ctypes.CDLL(None).socket(2, 1, 0)\n"
        "number = socket.socket().detach()  # lifecycle: ignore[LC304]\n",
    )
    report = tmp_path / "report.json"
    text = run_command("run", "--report", str(report), script).stderr
    lost = ["1 open socket that Python's socket did not make", "1 socket handed out by detach()"]
    assert text == f"lifecycle: no findings; not seen: {', '.join(lost)}\n"
    assert json.loads(report.read_text())["unseen"] == lost


def test_modules_and_code_are_programs(tmp_path: Path) -> None:
    """-m runs a module with its own options."""
    write(tmp_path, "import sys\nprint(sys.argv[1:])", "thing.py")
    done = subprocess.run(
        (*COMMAND, "run", "-m", "thing", "--mode", "x"),
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PROGRAM_ENDS,
        check=False,
    )
    assert done.stdout == "['--mode', 'x']\n"


def test_error_of_the_program_is_its_own(tmp_path: Path) -> None:
    """An exception ends the program with its own traceback and exit code, and sockets that it left open are not reported."""
    done, found = run_with_report(tmp_path, write(tmp_path, "import socket\nsock = socket.socket()\nsock.accept()\n"))
    assert done.returncode == 1
    assert "OSError: [Errno 22] Invalid argument" in done.stderr
    assert [(each["kind"], each["line"]) for each in found] == [("order", 3)]


NOT_RUN = {
    "a missing file": ((), "gone.py", 2, "No such file"),
    "a folder": ((), "folder", 1, "__main__"),
    "a missing module": (("-m",), "gone.module", 1, "No module named"),
    "a syntax error": ((), "broken.py", 1, "SyntaxError"),
    "a syntax error in a module": (("-m",), "broken", 1, "SyntaxError"),
    "a syntax error in code": (("-c",), "f(:", 1, "SyntaxError"),
}
"""name -> options of Python, the program, its exit code, a word of its error"""


@pytest.mark.parametrize("name", NOT_RUN)
def test_nothing_is_said_of_a_program_that_never_ran(tmp_path: Path, name: str) -> None:
    """The error and the exit code are Python's own, the summary says that nothing was checked, and so does the report."""
    options, program, code, word = NOT_RUN[name]
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.py").write_text("def f(:\n", encoding="utf-8")
    report, problems = tmp_path / "report.json", tmp_path / "problems.json"
    files = ("--report", str(report), "--output-format", "json", "--output", str(problems))
    done = run_command("run", *files, *options, program, cwd=tmp_path)
    assert (done.returncode, word in done.stderr) == (code, True)
    assert done.stderr.endswith("lifecycle: the program did not begin, so nothing was checked\n")
    assert json.loads(report.read_text(encoding="utf-8"))["unseen"] == ["the program, which did not begin"]
    assert not problems.exists()


def test_enforce_stops_the_program_at_the_line_and_nothing_is_sent(tmp_path: Path) -> None:
    """With --mode enforce the first illegal call raises IllegalCall at its line; the peer has got nothing of it."""
    script = write(
        tmp_path,
        "import socket\n"
        "left, right = socket.socketpair()\n"
        "try:\n"
        "    left.shutdown(socket.SHUT_WR)\n"
        "    left.send(b'late')\n"
        "finally:\n"
        "    print(right.recv(100))\n"
        "    left.close()\n"
        "    right.close()\n",
    )
    done = run_command("run", "--mode", "enforce", script)
    assert done.returncode == 1
    assert done.stdout == "b''\n"
    assert f'File "{script}", line 5, in <module>' in done.stderr
    assert "lifecycle.IllegalCall: socket.send() is not legal in state 'send_shut'." in done.stderr


def test_warn_gives_warnings(tmp_path: Path) -> None:
    """With --mode warn each finding is a warning at its line."""
    done = run_command("run", "-q", "--mode", "warn", write(tmp_path, "import socket\n\n\nsocket.socket().getsockname()\n"))
    assert "program.py:4" in done.stderr
    assert "LifecycleWarning: not portable: getsockname()" in done.stderr


def test_hidden_sitecustomize_is_run_too(tmp_path: Path) -> None:
    """A sitecustomize of the user's own runs as it would have, and the folder that hid it is gone from the path."""
    write(tmp_path, "import sys\nsys.customized = 'yes'\n", "sitecustomize.py")
    there = {**environment(), "PYTHONPATH": f"{tmp_path}{':' if sys.platform != 'win32' else ';'}{environment()['PYTHONPATH']}"}
    code = "import sys, sitecustomize; print(sys.customized, sitecustomize.__file__, 'following' in str(sys.path))"
    done = subprocess.run(
        (*COMMAND, "run", "-q", "-c", code), env=there, capture_output=True, text=True, timeout=PROGRAM_ENDS, check=False
    )
    assert done.stdout == f"yes {tmp_path / 'sitecustomize.py'} False\n", done.stderr


def test_chart_of_a_chosen_connection(tmp_path: Path) -> None:
    """--chart writes the sequence charts, and --connection chooses one."""
    script = write(
        tmp_path,
        "import socket\n"
        "with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "    for _ in range(3):\n"
        "        with socket.create_connection(server.getsockname()) as client:\n"
        "            server.accept()[0].close()\n",
    )
    run_command("run", "--chart", str(tmp_path / "one.txt"), "--connection", "2", script)
    text = (tmp_path / "one.txt").read_text(encoding="utf-8")
    assert text.startswith("stream#1, stream#4, stream#5 (127.0.0.1:")


def test_page_has_findings_and_charts_of_all_processes(tmp_path: Path) -> None:
    """--html writes the page to step through, with the findings, and the calls of all processes, children included."""
    page = tmp_path / "page.html"
    run_command("run", "--html", str(page), write(tmp_path, CHILDREN))
    text = page.read_text(encoding="utf-8")
    assert "<!DOCTYPE html>" in text
    assert "not portable: listen()" in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    assert len([each for each in data["texts"] if re.fullmatch(r"stream#\d+( of \d+)?", each)]) >= 3
    assert any("listen" in line for line in data["sources"].values())


def test_wrong_usage_is_reported(tmp_path: Path) -> None:
    """No program, an unknown mode, and a file in a missing folder are wrong usage."""
    assert run_command("run").returncode == 2
    assert run_command("run", "--mode", "shout", "x.py").returncode == 2
    done = run_command("run", "--report", str(tmp_path / "no" / "report.json"), "x.py")
    assert done.returncode == 2
    assert "Invalid value for --report: there is no folder" in done.stderr


LEAK = (
    "import resource, socket\n"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
    "kept = []\n"
    "try:\n"
    "    while True:\n"
    "        kept.append(socket.socket())\n"
    "except OSError as error:\n"
    "    print(error.errno)\n"
)

FULL_DISK = f"import resource, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n{FAULTY}sys.exit(7)\n"

NEW_ROOT = (
    "import os, socket, tempfile\n"
    "os.chroot(tempfile.mkdtemp())\n"
    "os.chdir('/')\n"
    "os.setuid(65534)\n"
    "child = os.fork()\n"
    "if child == 0:\n"
    "    socket.socket().listen()\n"
    "    os._exit(0)\n"
    "print(os.waitpid(child, 0)[1])\n"
)


@posix
def test_leak_that_used_up_the_descriptors_is_reported(tmp_path: Path) -> None:
    """A program that ends at its descriptor limit gets its summary and its report, with every socket that leaked."""
    done, findings = run_with_report(tmp_path, write(tmp_path, LEAK))
    assert (done.returncode, done.stdout) == (0, "24\n")
    assert len(findings) > 50  # of 64, but for what Python and the checker have open
    assert {finding["kind"] for finding in findings} == {"leak"}
    assert f"{len(findings)} leaks" in done.stderr


@posix
@pytest.mark.parametrize("option", ["--report", "--html", "--output", "--write-baseline"])
def test_a_full_disk_loses_no_finding(option: str, tmp_path: Path) -> None:
    """Where no file can grow, the old one stays, a message names it, the findings are told, and the exit code is as without."""
    old = tmp_path / "old"
    old.write_text("old")
    done = run_command("run", option, str(old), write(tmp_path, FULL_DISK))
    assert (done.returncode, done.stdout, old.read_text()) == (7, "", "old")
    assert re.search(rf"lifecycle: .*{re.escape(str(old))}", done.stderr)
    assert "1 finding at 1 place" in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["old", "program.py"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may change the root")
def test_findings_after_chroot_and_setuid(tmp_path: Path) -> None:
    """A child that has another root and no rights runs on, and its findings are reported, with real systems' answers."""
    done = run_command("run", write(tmp_path, NEW_ROOT))
    assert (done.returncode, done.stdout) == (0, "0\n")
    assert "not portable: listen()" in done.stderr
    assert "Winsock: WSAEINVAL" in done.stderr
