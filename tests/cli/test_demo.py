"""`lifecycle demo`: the conversation, the refusals, the journal, and what happens when something fails."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading

import pytest
from cli.command import COMMAND, environment, invoke, run_command
from loopback import LONG, connected_pair

from lifecycle import ROLES, Accepted, Archive, Client, Datagram, IllegalCall, Lifecycle, Server, SocketFile
from lifecycle.archive import DWORD
from lifecycle.cli import demo_programs
from lifecycle.cli.demo_programs import ATTEMPTS, HOST, Conversation, ConversationOver, DemoFailed, refused

SERVER_CALLS = ("create", "listen", "accept", "flush", "close", "close", "close", "close", "close")
CLIENT_CALLS = ("create", "connect", "flush", "close", "close", "close", "close")
SERVER_VALUES = ("DWORD == 7", 'CString == "question"', 'CString("answer")', "DWORD(42)")
CLIENT_VALUES = ("DWORD(7)", 'CString("question")', 'CString == "answer"', "DWORD == 42")


def test_demo_shows_both_columns_and_a_refusal_of_each_role() -> None:
    """The piped command passes, shows each side's calls and values beside the other's, and the exact text of the refusals."""
    ran = run_command("demo")
    assert (ran.returncode, ran.stderr) == (0, "")
    header = next(line for line in ran.stdout.splitlines() if line.split() == ["server", "client"])
    boundary = header.index("client")
    table = ran.stdout.split("Calls out of order")[0].splitlines()
    sides = ((SERVER_CALLS, SERVER_VALUES, slice(None, boundary)), (CLIENT_CALLS, CLIENT_VALUES, slice(boundary, None)))
    for calls, values, column in sides:
        text = "\n".join(line[column].rstrip() for line in table)
        assert tuple(re.findall(r"\.(\w+)\(", text)) == calls
        assert tuple(re.findall(r"archive_\w+ (?:<<|>>) (.+)", text)) == values
        assert re.search(r"SocketFile\(.*\n.*\n.*Archive\(file, \"load\"\).*\n.*\n.*Archive\(file, \"store\"\)", text)
    for text in refusal_texts():
        assert f": {text}\n" in ran.stdout


def refusal_texts() -> list[str]:
    """The refusals of the demo's illegal calls, made here once more."""
    found = []
    with Server() as server, Client() as client, Accepted() as accepted, Datagram() as datagram:
        server.create(0, HOST)
        client.create(0, HOST)
        datagram.open()
        illegal: tuple[tuple[Lifecycle, str, tuple[object, ...]], ...] = (
            (server, "accept", ()),
            (client, "send", (b"too early",)),
            (accepted, "create", (0, HOST)),
            (datagram, "receive_from", ()),
        )
        for target, call, arguments in illegal:
            with pytest.raises(IllegalCall) as caught:
                getattr(target, call)(*arguments)
            found.append(str(caught.value))
    with connected_pair() as (client, _), SocketFile(client) as file, Archive(io.BytesIO(), "load") as archive:
        with pytest.raises(IllegalCall) as seeking:
            file.seek(0)
        with pytest.raises(IllegalCall) as storing:
            archive << DWORD(5)
    found += [str(seeking.value), str(storing.value)]
    return found


@pytest.mark.parametrize(("columns", "place"), [(80, r"\n +-> bound"), (200, r"  +-> bound")])
def test_states_stand_below_the_calls_or_beside_them(columns: int, place: str) -> None:
    """Where there is not enough room next to a call, the state it leads to stands below it."""
    shown = invoke("demo", columns=columns).stdout
    assert re.search(r'server\.create\(0, "127\.0\.0\.1"\).*?' + place, shown)
    assert "…" not in shown


def test_demo_prints_plain_text() -> None:
    """What is piped is ASCII without colours or spaces at line ends, and the table keeps to 80 columns."""
    shown = invoke("demo").stdout
    assert shown.isascii()
    assert "\x1b" not in shown
    lines = shown.splitlines()
    assert not [line for line in lines if line != line.rstrip()]
    assert max(map(len, shown.split("Calls out of order")[0].splitlines())) <= 80


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_demo_on_a_terminal_has_colours_and_keeps_to_its_width() -> None:
    """On a terminal the same text is coloured, and long lines of refusals are wrapped at words."""
    text = on_a_terminal("demo")
    assert "\x1b[36m-> bound" in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(map(len, plain.splitlines())) <= 80
    words = " ".join(plain.split())
    for refusal in refusal_texts():
        assert " ".join(refusal.split()) in words


def on_a_terminal(*arguments: str) -> str:
    """What the command writes to a terminal of 80 columns."""
    import pty

    controller, terminal = pty.openpty()
    try:
        command = subprocess.Popen((*COMMAND, *arguments), env=environment(), stdin=terminal, stdout=terminal, stderr=terminal)
    finally:
        os.close(terminal)
    found = bytearray()
    with open(controller, "rb", buffering=0) as screen, command:
        while True:
            try:
                read = screen.read(65536)
            except OSError:  # Linux: the other end is closed
                break
            if not read:
                break
            found += read
        assert command.wait(LONG) == 0
    return found.decode().replace("\r\n", "\n")


def test_demo_json_is_the_journal() -> None:
    """Each line is a record; its cells stand in the tables, but for one illegal attempt of each role."""
    ran = run_command("demo", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    records = [json.loads(line) for line in ran.stdout.splitlines()]
    illegal = [record for record in records if record["outcome"] == "illegal"]
    assert {record["role"] for record in illegal} == set(ROLES)
    assert len(illegal) == len(ROLES)
    for record in records:
        role, state, call = ROLES[record["role"]], record["state"], record["call"]
        if record in illegal:
            assert call in role.illegal(state)
            assert re.match("IllegalCall|UnsupportedCall|ReadOnly", record["error"])
        else:
            assert role.table[state][call][record["outcome"]] == record["next_state"]
    last = {record["subject"]: record["next_state"] for record in records}
    assert set(last.values()) == {"closed"}


def test_the_two_sides_run_in_threads_of_their_own() -> None:
    """The journal has a thread for each side."""
    records = [json.loads(line) for line in invoke("demo", "--json").stdout.splitlines()]
    threads = {(record["thread"], record["call"]) for record in records}
    assert {("server", "accept"), ("client", "connect")} <= threads


class DeafServer(Server):
    """A server that cannot listen."""

    __slots__ = ()

    def listen(self, backlog: int | None = None) -> None:
        raise OSError("out of order")


class LostClient(Client):
    """A client that cannot connect."""

    __slots__ = ()

    def connect(self, address: str, port: int) -> None:
        raise OSError("out of order")


class MuteClient(Client):
    """A client that fails in the middle of the conversation."""

    __slots__ = ()

    def send(self, data: object, flags: int = 0) -> int:
        raise OSError("out of order")


class LyingClient(Client):
    """A client that sends something else."""

    __slots__ = ()

    def send(self, data: object, flags: int = 0) -> int:
        return super().send(b"lie")


FAILURES = [
    ("Server", DeafServer, "the server failed in step 3"),
    ("Client", LostClient, "the client failed in step 4"),
    ("Client", MuteClient, "the client failed in step 8"),
    ("Client", LyingClient, "the server failed in step 8: DemoFailed: 1818585452 arrived instead of 7"),
]


@pytest.mark.parametrize(("name", "kind", "expected"), FAILURES)
def test_the_failure_of_one_side_ends_the_other(name: str, kind: type, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The side that waits fails at once, the page shows how far it got, the error is printed, and the exit code is 1."""
    monkeypatch.setattr(demo_programs, name, kind)
    ended = threading.Event()
    watch = threading.Timer(demo_programs.PATIENCE / 2, ended.set)
    watch.start()
    ran = invoke("demo")
    watch.cancel()
    watch.join()
    assert not ended.is_set(), "the other side waited until its timeout"
    assert ran.exit_code == 1
    assert expected in ran.stderr
    assert "Traceback" not in ran.output
    assert 'server.create(0, "127.0.0.1")' in ran.stdout


def test_a_failure_is_printed_apart_from_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --json, standard output has the journal alone when the run fails."""
    monkeypatch.setattr(demo_programs, "Server", DeafServer)
    ran = invoke("demo", "--json")
    assert ran.exit_code == 1
    calls = [json.loads(line)["call"] for line in ran.stdout.splitlines()]
    assert "create" in calls
    assert "out of order" in ran.stderr


def test_an_address_of_no_machine_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first call of both sides fails, the demo fails, and says so."""
    monkeypatch.setattr(demo_programs, "HOST", "192.0.2.1")
    ran = invoke("demo")
    assert ran.exit_code == 1
    assert "failed in step 2" in ran.stderr


def test_a_side_that_does_not_end_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A side that waits for ever is named with the step it reached, and what it waits in is ended."""
    wait_for_ever = "1 server = Server()\n2 server.create(0, HOST)\n3 server.listen()\n5 server.accept()"
    monkeypatch.setattr(demo_programs, "PATIENCE", 0.1)
    monkeypatch.setattr(demo_programs, "CONVERSATION", {"server": wait_for_ever})
    with pytest.raises(DemoFailed, match="the server did not get beyond step 5"):
        Conversation().run()


@pytest.mark.parametrize(("absent", "waiting", "step"), [("client", "server", 5), ("server", "client", 4)])
def test_each_wait_for_the_other_side_is_bounded(absent: str, waiting: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without a client, and a client without an address, time out."""
    monkeypatch.setattr(demo_programs, "PATIENCE", 0.1)
    monkeypatch.setitem(demo_programs.CONVERSATION, absent, "")
    with pytest.raises(DemoFailed, match=f"the {waiting} failed in step {step}: TimeoutError"):
        Conversation().run()


def test_a_call_that_is_not_refused_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo promises refusals: a call that goes through is a finding."""
    monkeypatch.setattr(demo_programs, "ATTEMPTS", ("datagram = Datagram()\ndatagram.open()",))
    ran = invoke("demo")
    assert ran.exit_code == 1
    assert "datagram.open() was not refused" in ran.stderr


def test_each_role_has_one_illegal_attempt() -> None:
    """The attempts cover all roles."""
    assert [refused(program).error.role for program in ATTEMPTS] == list(ROLES)


def test_an_object_made_too_late_is_not_kept() -> None:
    """An object that is made after the conversation's end is closed, and its side fails."""
    ended = Conversation()
    ended.close()
    with Server() as server:
        server.open()
        with pytest.raises(ConversationOver):
            ended.keep(server)
        assert server.state in server.role.final
