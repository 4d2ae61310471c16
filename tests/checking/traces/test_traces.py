"""Programs in another language, checked by their system calls: live, and from traces that strace wrote."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from c_programs import HEADER, RIGHT, WRONG
from click.testing import CliRunner

from lifecycle.checking.traces import bpf
from lifecycle.checking.traces.lines import system_calls
from lifecycle.checking.traces.problems import problem_of
from lifecycle.checking.traces.strace import TracerMissing, strace_command, trace_process, trace_program
from lifecycle.checking.traces.walk import WANTED, Walk
from lifecycle.cli.app import app


def why_not() -> str:
    """Why no process can be watched here, or ""; a container may forbid it."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return "strace may not watch processes here" if tried.returncode else ""


needs_strace = pytest.mark.skipif(bool(why_not()), reason=why_not() or "never")
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler (cc) is not installed")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All programs in one file, which runs the one that its argument names."""
    folder = tmp_path_factory.mktemp("programs")
    bodies = {**{name: body for name, (body, _) in WRONG.items()}, **RIGHT}
    cases = "".join(f'if (!strcmp(argv[1], "{name}")) {{ {body} return 0; }}\n' for name, body in bodies.items())
    source = HEADER.replace("int main(void) {", "int main(int argc, char **argv) {") + cases + "return 9; }\n"
    (folder / "programs.c").write_text(source, encoding="utf-8")
    command = ["cc", "-w", "-o", str(folder / "programs"), str(folder / "programs.c")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "programs"


@needs_strace
@needs_compiler
@pytest.mark.parametrize("name", WRONG)
def test_mistake_of_a_c_program_is_found(compiled: Path, name: str) -> None:
    """Each mistake is reported once, by the system call that made it."""
    code, walk = trace_program([str(compiled), name])
    assert code == 0
    assert [each.call.name for each in walk.violations] == [WRONG[name][1]]


@needs_strace
@needs_compiler
@pytest.mark.parametrize("name", RIGHT)
def test_right_c_program_has_no_problem(compiled: Path, name: str) -> None:
    """A right program is seen, and nothing is reported of it."""
    code, walk = trace_program([str(compiled), name])
    assert code == 0
    assert walk.sockets > 0
    assert walk.violations == []


@needs_strace
def test_program_keeps_its_exit_code() -> None:
    """The exit code is the program's; a signal that ends it gives 128 and its number, as in a shell."""
    assert trace_program([sys.executable, "-c", "raise SystemExit(7)"])[0] == 7
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert trace_program([sys.executable, "-c", killed])[0] == 128 + signal.SIGKILL


@needs_strace
def test_running_process_is_watched_until_it_ends() -> None:
    """A process that runs already is attached to, and its sockets of before are of unknown origin."""
    program = (
        "import socket, sys\nold = socket.create_server(('127.0.0.1', 0))\nprint('ready', flush=True)\n"
        "while sys.stdin.readline():\n    with socket.socket() as new:\n"
        "        try: new.send(b'x')\n        except OSError: pass\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        out = process.stdin.fileno()
        feeder = subprocess.Popen([sys.executable, "-c", FEEDER.format(pid=process.pid, out=out)], pass_fds=[out])
        process.stdin.close()
        _, walk = trace_process(process.pid)
        assert feeder.wait(10) == 0
    assert {each.call.name for each in walk.violations} == {"sendto"}


FEEDER = """
import os, time
for _ in range(1000):
    if b"TracerPid:\\t0" not in open("/proc/{pid}/status", "rb").read(): break
    time.sleep(0.005)
os.write({out}, b"go\\n")
"""
"""writes a line to the program as soon as it is watched"""

UNFINISHED = """\
10 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID <unfinished ...>
11 close(3)                          = 0
10 <... clone resumed>)              = 11
10 recvfrom(3,  <unfinished ...>
12 write(1, ") = 5", 5) = 5
10 <... recvfrom resumed>"", 8, 0, NULL, NULL) = -1 ENOTCONN (Transport endpoint is not connected)
"""

FORMS = {
    "with times": "10 12:00:01.5 socket(AF_INET, SOCK_STREAM, 0) = 3\n10 12:00:01.6 listen(3, 5) = 0\n",
    "with [pid]": "[pid 10] socket(AF_INET, SOCK_STREAM, 0) = 3\n[pid 10] listen(3, 5) = 0\n",
    "of one process": "socket(AF_INET, SOCK_STREAM, 0) = 3\nlisten(3, 5) = 0\n",
    "with -yy": "10 socket(AF_INET, SOCK_STREAM, 0) = 3<TCP:[1]>\n10 listen(3<TCP:[1->2]>, 5) = 0\n",
    "with stacks": "10 socket(AF_INET, SOCK_STREAM, 0) = 3\n10 listen(3, 5) = 0\n"
    " > /lib/libc.so.6(listen+0x7) [0x1]\n > /bin/app(main+0x2) [0x2]\n",
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_strace_are_read(name: str) -> None:
    """Times, processes and annotations are taken off: each form has the same problem."""
    walk = Walk().read(FORMS[name].splitlines())
    assert [(each.call.name, each.state.name) for each in walk.violations] == [("listen", "open")]


def test_stack_names_the_programs_function() -> None:
    """The innermost frame outside the system's libraries is named."""
    walk = Walk().read(FORMS["with stacks"].splitlines())
    assert "in main() of /bin/app" in problem_of(walk.violations[0], "t").message


def test_unfinished_calls_are_joined() -> None:
    """A call that was interrupted by another process's line is one call; a forked child has descriptors of its own."""
    walk = Walk().read(UNFINISHED.splitlines())
    assert [(each.call.name, each.answer, each.call.line) for each in walk.violations] == [("recvfrom", "ENOTCONN", 7)]
    (call,) = (each for each in system_calls(UNFINISHED.splitlines(), frozenset({"recvfrom"})) if not each.unfinished)
    assert call.arguments == '3, "", 8, 0, NULL, NULL'


def test_io_uring_makes_a_process_unknown() -> None:
    """Calls of a process whose sockets change unseen are never a problem, and the summary says so."""
    lines = [
        "1 socket(AF_INET, SOCK_STREAM, 0) = 3",
        "1 io_uring_setup(8, 0x1) = 4",
        "1 sendto(3, 0x1, 1, 0, NULL, 0) = -1 EPIPE (x)",
    ]
    walk = Walk().read(lines)
    assert walk.violations == []
    assert any("io_uring" in what for what in walk.unseen)


@pytest.mark.parametrize(
    "text", ["", "garbage", "1 socket(", "1 socket() = ", "1 bind(x) = 0", "1 close(99999999999999999999) = 0"]
)
def test_any_text_is_read(text: str) -> None:
    """A file that is not a trace, or a line that was cut, ends nothing."""
    assert Walk().read([text]).violations == []


def test_memory_is_bounded_by_open_sockets() -> None:
    """What is closed is forgotten: a long trace of short connections keeps a few objects."""
    walk = Walk()
    for number in range(3_000):
        walk.read([f"1 socket(AF_INET, SOCK_STREAM, 0) = {3 + number % 7}", f"1 close({3 + number % 7}) = 0"])
    table = walk.tables["1"]
    assert len(table.named) + len(table.closed) <= 7


def test_reading_is_fast() -> None:
    """A megabyte of trace is read in a time that allows 100 MB a minute on one core, with a margin for a busy machine."""
    lines = [
        f"10 {call}"
        for _ in range(3_000)
        for call in (
            "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 7",
            'connect(7, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
            'sendto(7, "GET / HTTP/1.1"..., 80, MSG_NOSIGNAL, NULL, 0) = 80',
            'recvfrom(7, "HTTP/1.1 200 OK"..., 102400, 0, NULL, NULL) = 847',
            "close(7) = 0",
        )
    ]
    began = time.process_time()
    assert Walk().read(lines).violations == []
    assert sum(map(len, lines)) / (time.process_time() - began) > 100e6 / 60 / 3


def test_command_reads_a_trace(tmp_path: Path) -> None:
    """`--read` reports the problems on standard output and exits with 1; a baseline makes them pass."""
    (tmp_path / "calls").write_text(FORMS["with times"], encoding="utf-8")
    run = CliRunner().invoke
    result = run(app, ["trace", "--read", str(tmp_path / "calls")])
    assert result.exit_code == 1
    assert "LC206 listen() on a stream socket in state 'open'" in result.stdout
    known = str(tmp_path / "known")
    assert run(app, ["trace", "--read", str(tmp_path / "calls"), "--write-baseline", known]).exit_code == 0
    assert run(app, ["trace", "--read", str(tmp_path / "calls"), "--baseline", known]).exit_code == 0
    assert run(app, ["trace"]).exit_code == 2


@needs_strace
@pytest.mark.parametrize("name", ["missing", "folder", "text", "no program of that name", "process"])
def test_what_cannot_be_traced_is_an_error(tmp_path: Path, name: str) -> None:
    """A program that is missing or cannot be run, and a process that is gone, give exit code 2, and no word of its problems."""
    text = tmp_path / "text"
    text.write_text("neither a program nor a script\n", encoding="utf-8")
    text.chmod(0o755)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    arguments, words = {
        "missing": ([str(tmp_path / "missing")], "there is no program"),
        "folder": ([str(tmp_path)], "is not an executable program"),
        "text": ([str(text)], "was not run"),
        "no program of that name": (["lifecycle-no-such-program"], "there is no program"),
        "process": (["-p", str(gone.pid)], "there is no process"),
    }[name]
    result = CliRunner().invoke(app, ["trace", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert "no problems" not in result.stderr


def test_missing_strace_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without strace the error says what to install."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TracerMissing, match="strace is not installed"):
        strace_command(only_life_cycle=False, stacks=False, output="x")


def test_every_call_of_the_vocabulary_is_watched() -> None:
    """The narrow set is part of what the walk reads."""
    from lifecycle.roles.python.system_calls import LIFE_CYCLE

    assert set(LIFE_CYCLE) <= WANTED


BPF = """\
0 7 ready 0 0 0 0 0
1000000 7 41 2 524289 0 0 3
3000000 7 50 3 5 0 0 0
2000000 7 49 3 0 16 0 0
4000000 7 fork 17 0 0 0 9
5000000 9 44 3 0 1 0 -107
5500000 9 exit 0 0 0 0 0
6000000 7 exec 0 0 0 0 0
7000000 7 3 3 0 0 0 -9
"""


def test_script_of_bpftrace_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are taken in the order of their times; a child's send on a listener is found, and exec() has closed the number."""
    monkeypatch.setattr(
        bpf, "_NAMES", {"41": "socket", "50": "listen", "49": "bind", "44": "sendto", "3": "close"} | {"exec": "execve"}
    )
    walk = Walk().follow(bpf.system_calls(BPF.splitlines()))
    assert [(each.call.name, each.state.name, each.answer) for each in walk.violations] == [("sendto", "listening", "ENOTCONN")]
    assert walk.unseen == {}


@pytest.mark.skipif(shutil.which("bpftrace") is None or os.geteuid() != 0, reason="bpftrace is not installed, or needs root")
def test_script_is_right_for_bpftrace() -> None:
    """bpftrace understands the script: it parses it, and finds every type; loading it may be forbidden here."""
    command = bpf.bpftrace_command(0, "-d")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "tracepoint not found" in done.stderr or "mount" in done.stderr:
        pytest.skip("this machine shows no tracepoints")
    assert "Program" in done.stdout, done.stderr
