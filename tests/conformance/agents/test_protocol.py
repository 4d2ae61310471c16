"""An agent that dies, hangs or talks nonsense is told, and started anew; one that makes the calls is judged as sockets are."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from cli.command import run_command
from conformance.agents import programs

from lifecycle import ACCEPTED, CLIENT, DATAGRAM, SERVER
from lifecycle.conformance import conform, target_named
from lifecycle.conformance.adapters.known import table_of
from lifecycle.conformance.agents.adapter import SOURCES, AgentAdapter, source_of
from lifecycle.conformance.agents.process import Agent, BadAgent
from lifecycle.conformance.campaigns.measure import NOT_MEASURED, measure
from lifecycle.conformance.driving.results import clusters
from lifecycle.conformance.driving.watchdog import WATCHDOG, Hangs
from lifecycle.conformance.targets import UnknownTarget

STREAMS = [SERVER, CLIENT, ACCEPTED, DATAGRAM]


def test_the_source_of_each_agent_is_printed() -> None:
    """`lifecycle conform agent --source LANGUAGE` prints the program that is shipped."""
    ran = run_command("conform", "agent", "--source", "c")
    assert (ran.returncode, ran.stdout) == (0, source_of("c"))
    assert all("protocol=1" in source_of(language) for language in SOURCES if language != "lwip")


def test_an_unknown_language_is_told() -> None:
    """A language without an agent is refused with the list of those that have one, and so is a target that is none."""
    ran = run_command("conform", "agent", "--source", "cobol")
    assert ran.returncode == 2
    assert "languages: c" in ran.stderr


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("no-such-program", "cannot be started"),
        ("true", "does not say hello: the agent has ended with 0"),
        ("echo ok protocol=7", "does not speak protocol 1"),
        ("echo hello", "does not speak protocol 1"),
    ],
)
def test_a_program_that_is_no_agent_is_told(program: str, says: str) -> None:
    """What is not an agent of this version is refused with what it did."""
    with pytest.raises(BadAgent, match=says):
        Agent(program).start()
    with pytest.raises(UnknownTarget, match=says):
        target_named(f"agent:{program}").adapter()


def test_a_program_that_starts_slowly_is_waited_for_when_something_has_hung(tmp_path: Path) -> None:
    """Steps are interrupted soon once one has hung; the start of the program in a step is not."""
    file = tmp_path / "slow.py"
    file.write_text("import time\ntime.sleep(1)\nprint('ok protocol=1', flush=True)\ninput()\n")
    agent = Agent(f"{sys.executable} {file}")
    with WATCHDOG.watching():
        WATCHDOG.hung = 1
        with WATCHDOG:
            agent.start()
    assert agent.told == {"protocol": "1"}
    agent.close()


def agent_of(tmp_path: Path, *lines: str) -> Agent:
    """An agent of a few lines of Python: `line` is the command."""
    file = tmp_path / "agent.py"
    head = ["import sys, time", "print('ok protocol=1', flush=True)", "sys.stdin.readline()", "for line in sys.stdin:"]
    file.write_text("\n".join((*head, *(f"    {line}" for line in lines))))
    return Agent(f"{sys.executable} {file}", answers_within=0.5)


def test_an_agent_that_hangs_is_killed_and_started_anew(tmp_path: Path) -> None:
    """A command without an answer raises Hangs at its deadline; the next one is answered by a new program."""
    agent = agent_of(tmp_path, "time.sleep(60 if 'hang' in line else 0); print('ok', flush=True)")
    with pytest.raises(Hangs):
        agent.ask("hang 1")
    assert agent.ask("close 1") == "ok"
    assert agent.generation == 2
    agent.close()


def test_the_death_of_an_agent_is_told_with_its_status(tmp_path: Path) -> None:
    """A program that ends in a call raises Hangs with its exit status, and is started anew."""
    agent = agent_of(tmp_path, "sys.exit(3) if 'die' in line else print('ok', flush=True)")
    with pytest.raises(Hangs, match="ended with 3"):
        agent.ask("die 1")
    assert agent.ask("close 1") == "ok"
    agent.close()


@pytest.mark.parametrize(
    ("command", "answer", "says"),
    [
        ("getsockname 1", "ok", "'ok', to getsockname"),
        ("getpeername 1", "ok 127.0.0.1", "'ok 127.0.0.1', to getpeername"),
        ("recv 1 9", "ok abc", "'ok abc', to recv"),
        ("send 1 00", "ok many", "'ok many', to send"),
        ("close 1", "", "'', to close"),
        ("bind 1 127.0.0.1 0", "err 98", "'err 98', to bind"),
        ("close 1", "Traceback (most recent call last):", "to close"),
        ("getsockname 1", "ok 127.0.0.1 80\\nok 127.0.0.1 80", "'ok 127.0.0.1 80', to nothing"),
    ],
)
def test_a_breach_of_the_protocol_is_told(tmp_path: Path, command: str, answer: str, says: str) -> None:
    """Words that are missing or wrong, and a line too many, raise Hangs with the line; the program is started anew."""
    agent = agent_of(tmp_path, f"print('{answer}' if 'listen' not in line else 'ok', flush=True)")
    with pytest.raises(Hangs, match=f"^not an answer of the protocol: .*{re.escape(says)}$"):
        for _ in range(2):  # what is too much is seen before the next command
            agent.ask(command)
    assert agent.ask("listen 1 8") == "ok"
    assert agent.generation == 2
    agent.close()


def test_breaches_of_the_protocol_are_one_cause(tmp_path: Path) -> None:
    """Garbage with a counter in it is one line of the report, whatever was asked."""
    is_right = "line.split()[0] in ('socket', 'close', 'forget', 'timeout')"
    agent = agent_of(tmp_path, f"print('ok' if {is_right} else time.monotonic_ns(), flush=True)")
    report = conform(target_named(f"agent:{agent.command}"), [SERVER], depth=1, walks=0)
    (cause,) = clusters(report.unexplained)
    assert cause.shortest.got.startswith("not an answer of the protocol: '")
    assert not report.passes


def test_an_agent_that_cannot_be_measured_is_told(tmp_path: Path) -> None:
    """`lifecycle matrix` of a program that breaks the protocol is wrong usage, with the line."""
    agent = agent_of(tmp_path, "print('ok' if 'socket' in line else 'garbage', flush=True)")
    ran = run_command("matrix", f"agent:{agent.command}", columns=300)
    assert ran.returncode == 2
    assert "cannot be measured: not an answer of the protocol: 'garbage', to " in ran.stderr


def test_commands_that_nobody_waits_for_travel_with_the_next(tmp_path: Path) -> None:
    """Posted commands are answered in order, and the answer that is returned is the last command's."""
    agent = agent_of(tmp_path, "print('ok', line.split()[1], flush=True)")
    agent.start()
    for number in range(100):
        agent.post(f"forget {number}")
    assert agent.ask("close 100") == "ok 100"
    agent.close()


def test_the_agent_in_c_passes() -> None:
    """The agent in C over this system's sockets passes in every role, its data cells, too."""
    report = conform(target_named(f"agent:{programs.posix()}"), STREAMS, depth=1, walks=20)
    assert [str(each) for each in report.unexplained] == []
    assert report.passes
    assert [sum(each.data.values()) for each in report.roles] == [5, 25, 21, 10]


def test_sockets_of_a_dead_program_are_no_more() -> None:
    """A socket of before a restart raises in every call; the adapter makes new ones."""
    adapter = AgentAdapter(programs.posix())
    before = adapter.new(2, 1)
    adapter.restart()
    adapter.stage(SERVER).close()
    with pytest.raises(ConnectionAbortedError, match="started anew"):
        before.getsockname()
    adapter.close()


def test_lwip_hangs_after_a_port_was_bound_twice() -> None:
    """Compared with the contract alone, lwIP's hang is found, and it repeats."""
    report = conform(target_named(f"agent:{programs.lwip()}", like="contract"), [SERVER], depth=1, walks=0, seconds=10)
    assert any("hangs" in each.got for each in report.unexplained)


def test_tables_of_known_differences_are_read() -> None:
    """Each line has its role, state, call, answer, reason and check; an agent without a table knows nothing."""
    assert table_of("nobody") == ()
    (line, *_) = table_of("posix-c")
    assert (line.role, line.call, line.got) == ("client", "connect", "refused (ECONNABORTED)")
    assert line.name.startswith("posix-c: ")
    for table in (files("lifecycle.conformance") / "tables").iterdir():
        lines = table.read_text(encoding="utf-8").splitlines()
        assert all(line.count("\t") == 6 and line.split("\t")[6] for line in lines), table.name


def test_the_matrix_of_an_agent_is_that_of_its_system() -> None:
    """What the agent over this system's sockets answers in the states of the tables is what this system answers."""
    adapter = AgentAdapter(programs.posix())
    calls = ("send", "recv", "recv_0", "shutdown_wr", "getpeername")
    others = measure((("inet", "stream"),), calls=calls, new=adapter.new)
    adapter.close()
    own = measure((("inet", "stream"),), calls=calls)
    made = {cell: result for cell, result in others.items() if result != NOT_MEASURED}
    assert len(made) > len(own) * 0.8
    assert made == {cell: own[cell].removesuffix("+SIGPIPE") for cell in made}
