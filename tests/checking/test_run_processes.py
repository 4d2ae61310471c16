"""Signals, sudden ends and children of a program that `lifecycle run` checks."""

from __future__ import annotations

import json
import select
import signal
import subprocess
from pathlib import Path

import pytest
from checking.running import CHILDREN, FAULTY, indented, posix, run_with_report, write
from cli.command import COMMAND, environment, run_command
from loopback import PROGRAM_ENDS, until


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT"])
def test_signal_that_ends_the_program_is_its_own(tmp_path: Path, name: str) -> None:
    """A program that a signal ends is still ended by it, and its findings are printed if the signal permits."""
    number = getattr(signal, name)
    begin = (
        "import os, signal, socket, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # it is ignored where the test run itself ignores it
        "left_open = socket.socket()\n"  # a program that is killed has no chance to close
    )
    code = f"{begin}{FAULTY}os.kill(os.getpid(), {int(number)})\ntime.sleep(20)\n"
    done = run_command("run", write(tmp_path, code))
    assert done.returncode == -number
    if name != "SIGKILL":
        assert "lifecycle: 1 finding" in done.stderr


@posix
def test_forked_child_has_the_default_action_itself(tmp_path: Path) -> None:
    """A child is often ended by a signal, as in a pool of processes: nothing of the checker runs then."""
    script = write(
        tmp_path,
        "import _signal, os\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if _signal.getsignal(15) == _signal.SIG_DFL else 1)\n"
        "print(os.waitpid(child, 0)[1], _signal.getsignal(15) == _signal.SIG_DFL)\n",
    )
    assert run_command("run", script).stdout == "0 False\n"


@posix
def test_socket_that_was_collected_before_a_fork_is_the_parents_leak(tmp_path: Path) -> None:
    """A leak that is known before the fork is reported by the parent only."""
    script = write(tmp_path, "import os, socket\nsocket.socket()\nif os.fork():\n    os.wait()\n")
    _, found = run_with_report(tmp_path, script)
    assert [(each["kind"], each["line"]) for each in found] == [("leak", 2)]


@posix
def test_simulated_signal_without_a_handler_does_nothing(tmp_path: Path) -> None:
    """interrupt_main() with a signal that has its default action does nothing, as without the checker."""
    script = write(
        tmp_path,
        "import _thread, signal\n"
        "_thread.interrupt_main(signal.SIGTERM)\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('handled'))\n"
        "_thread.interrupt_main(signal.SIGTERM)\n",
    )
    done = run_command("run", script)
    assert (done.returncode, done.stdout) == (0, "handled\n")


@posix
def test_signal_from_outside_reaches_the_program(tmp_path: Path) -> None:
    """The process that was started is the program's: a signal to it is handled by the program's own handler."""
    script = write(
        tmp_path,
        "import signal, socket, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "print('ready', flush=True)\n"
        "time.sleep(20)\n",
    )
    with subprocess.Popen(
        (*COMMAND, "run", script), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        _, errors = process.communicate(timeout=PROGRAM_ENDS)
    assert process.returncode == 5
    assert errors == b"lifecycle: no findings\n"


@posix
def test_report_of_a_program_that_hangs_and_is_killed(tmp_path: Path) -> None:
    """A call that waits for ever is in the report while it waits."""
    script = write(tmp_path, "import socket\nsock = socket.socket(type=socket.SOCK_DGRAM)\nsock.recvfrom(9)\n")
    report = tmp_path / "report.json"
    with subprocess.Popen((*COMMAND, "run", "--report", str(report), script), env=environment()) as process:
        until(lambda: report.exists() and report.read_text(encoding="utf-8").endswith("}\n"), "the report")
        process.kill()
    (found,) = json.loads(report.read_text(encoding="utf-8"))["findings"]
    assert (found["kind"], found["call"], found["line"]) == ("order", "recvfrom", 3)


def test_findings_are_printed_at_a_sudden_exit(tmp_path: Path) -> None:
    """os._exit() keeps its code, and the findings are printed."""
    done = run_command("run", write(tmp_path, f"import os\n{FAULTY}os._exit(3)\n"))
    assert done.returncode == 3
    assert "lifecycle: 1 finding" in done.stderr


def test_children_are_followed(tmp_path: Path) -> None:
    """Findings of children come into the report: of multiprocessing, however it starts them, and of subprocess."""
    import multiprocessing

    done, found = run_with_report(tmp_path, write(tmp_path, CHILDREN))
    assert done.returncode == 0, done.stderr
    methods = len(multiprocessing.get_all_start_methods())
    assert [each["kind"] for each in found if each["call"] == "listen"] == ["portability"] * methods
    assert len([each for each in found if each["file"] == "<string>" and each["call"] == "send"]) == 1
    assert len({each["process"] for each in found}) == methods + 1


IMPORTS = """
import subprocess, sys
child = '''
import ssl, contextlib, socket
with contextlib.closing(socket.socketpair()[0]) as plain:
    context = ssl.create_default_context()
    with context.wrap_socket(plain, server_hostname="x", do_handshake_on_connect=False) as secured:
        with contextlib.suppress(ValueError):
            secured.getpeercert()
'''
sys.exit(subprocess.run([sys.executable, "-c", child]).returncode)
"""


def test_child_that_imports_ssl_before_anything_else(tmp_path: Path) -> None:
    """`ssl` imports `socket`, with which the check begins, before it is whole; the child runs as usual, and TLS is checked."""
    done, found = run_with_report(tmp_path, write(tmp_path, IMPORTS))
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert ("tls", "getpeercert") in [(each["kind"], each["call"]) for each in found]


TASKS = """
import trio

async def work():
    with trio.socket.socket() as sock:
        try:
            await sock.recv(1)
        except OSError:
            pass

async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)

trio.run(main)
"""


def test_line_of_a_task(tmp_path: Path) -> None:
    """Under an event loop of an installed package the line is that of the task, not the loop's or its starter's."""
    script = write(tmp_path, TASKS)
    _, (found,) = run_with_report(tmp_path, script)
    assert (found["file"], found["line"], found["call"]) == (script, 7, "recv")
    assert found["library"].startswith("trio/_socket.py:")


CLOSED_UNDER_TASKS = """
from contextlib import suppress
import socket
import trio
import trio.testing

async def wait(how, sock):
    with suppress(OSError):
        await how(sock)

async def main():
    near, far = socket.socketpair()
    number = near.fileno()
    with near, far, near.dup():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, trio.lowlevel.wait_readable, near)
            nursery.start_soon(wait, trio.lowlevel.wait_readable, far)
            await trio.testing.wait_all_tasks_blocked()
            near.close()
            nursery.cancel_scope.cancel()
    try:
        await trio.lowlevel.wait_readable(number)
    except OSError as error:
        print(error)

trio.run(main)
"""


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="trio waits by epoll")
def test_loop_that_finds_a_descriptor_gone(tmp_path: Path) -> None:
    """What a loop learns from an error it takes is no finding; the close() behind it is one, and so is a wait that begins."""
    done, found = run_with_report(tmp_path, write(tmp_path, CLOSED_UNDER_TASKS))
    assert done.returncode == 0, done.stderr
    assert sorted((each["call"], each["line"]) for each in found) == [("close", 19), ("register", 22)]


@posix
def test_findings_of_a_killed_child_are_kept(tmp_path: Path) -> None:
    """A child writes each finding when it is made."""
    script = write(
        tmp_path,
        f"import os, signal\nif not os.fork():\n{indented(FAULTY)}    os.kill(os.getpid(), signal.SIGKILL)\nos.wait()\n",
    )
    _, found = run_with_report(tmp_path, script)
    assert [(each["kind"], each["call"]) for each in found] == [("order", "accept")]


@posix
def test_program_that_replaces_itself_is_still_the_program(tmp_path: Path) -> None:
    """After os.execv() the new program in the same process prints the findings."""
    script = write(tmp_path, f"import os, sys\nos.execv(sys.executable, [sys.executable, '-c', {FAULTY!r}])\n")
    done = run_command("run", script)
    assert "lifecycle: 1 finding" in done.stderr


@posix
def test_forked_child_does_not_chart_its_parents_sockets(tmp_path: Path) -> None:
    """The sockets that a process inherits are in the charts once, as those of the process that made them."""
    script = write(
        tmp_path,
        "import os, socket\n"
        "left, right = socket.socketpair()\n"
        "left.sendall(b'x')\n"
        "if os.fork():\n"
        "    os.wait()\n"
        "    left.close()\n"
        "    right.close()\n",
    )
    run_command("run", "--chart", str(tmp_path / "chart.txt"), script)
    text = (tmp_path / "chart.txt").read_text(encoding="utf-8")
    assert "stream#1" in text
    assert "stream#1 of " not in text
