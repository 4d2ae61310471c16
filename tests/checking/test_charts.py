"""The charts of a run: which sockets belong together, and what is written."""

from __future__ import annotations

import runpy
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from lifecycle.checking import session
from lifecycle.checking.charts import Recorded, _records, connections, read_recorded, recorded, write_charts
from lifecycle.checking.checkers import Checker
from lifecycle.checking.settings import Mode, Settings
from lifecycle.engine import Record
from lifecycle.roles.python.observed import OBSERVED_STREAM

PROGRAMS = Path(__file__).parent / "programs"


def recorded_run(program: Path) -> list[Recorded]:
    """The sockets of a program that runs in this process, with all their calls."""
    checker = Checker(Mode.OBSERVE, keep_all=True)
    session.start(checker)
    try:
        with redirect_stdout(StringIO()):
            runpy.run_path(str(program), run_name="__main__")
        return recorded(checker.tracks)
    finally:
        session.stop(checker)


@pytest.fixture(scope="module")
def echo() -> list[Recorded]:
    """The sockets of one conversation."""
    return recorded_run(PROGRAMS / "correct" / "echo.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where charts are written."""
    return tmp_path


@pytest.mark.parametrize(("suffix", "start"), [("txt", "stream#"), ("svg", "<svg"), ("mmd", "sequenceDiagram")])
def test_chart_shows_the_calls(echo: list[Recorded], folder: Path, suffix: str, start: str) -> None:
    """The chart has listener, client and accepted end, with the calls of each and the states that they led to."""
    chart = folder / f"chart.{suffix}"
    write_charts(Settings(chart=str(chart)), echo, [])
    text = chart.read_text(encoding="utf-8")
    assert text.startswith(start)
    for word in ("listen", "accept", "connect", "sendall", "recv", "close", "listening", "connected"):
        assert word in text


def test_ends_of_a_connection_belong_together(echo: list[Recorded]) -> None:
    """The two ends and their listener are one connection, the listener first."""
    (group,) = connections(echo)
    assert [{"listen", "connect", "accept"} & {record.call for record in each.records} for each in group] == [
        {"listen", "accept"},
        {"connect"},
        set(),
    ]
    _, client, accepted = group
    assert (client.local, client.peer) == (accepted.peer, accepted.local)


def test_every_connection_has_its_picture(folder: Path) -> None:
    """Several connections are several pictures, numbered in the order of their begin; one may be chosen."""
    sockets = recorded_run(PROGRAMS / "correct" / "datagrams.py")
    groups = list(connections(sockets))
    assert [len(group) for group in groups] == [1, 1]
    write_charts(Settings(chart=str(folder / "all.svg")), sockets, [])
    assert sorted(path.name for path in folder.iterdir()) == ["all-1.svg", "all-2.svg"]
    write_charts(Settings(chart=str(folder / "one.svg"), connection=2), sockets, [])
    assert (folder / "one.svg").exists()


def test_records_survive_the_way_between_processes(echo: list[Recorded]) -> None:
    """What a child writes is what its parent reads."""
    assert [repr(read_recorded(each.as_data()).records) for each in echo] == [repr(each.records) for each in echo]


def test_every_call_is_recorded_with_times_and_arguments(echo: list[Recorded]) -> None:
    """Where charts are wanted, each call is there, with its begin, its end, its thread and arguments; data as its length."""
    records = [record for each in echo for record in each.records]
    assert [record.arguments for record in records if record.call == "sendall"] == ["<8 bytes>", "<8 bytes>"]
    assert all(record.ended is not None and record.began <= record.ended for record in records)
    assert {record.thread for record in records} == {"MainThread"}


def test_a_connection_has_the_listeners_calls_of_its_own_time() -> None:
    """Of a listener with many connections, each chart has what made it listen, and the accept that ran meanwhile."""

    def record(subject: str, call: str, began: float, ended: float, state: str, after: str) -> Record:
        return Record(OBSERVED_STREAM.real.name, subject, state, call, "t", "f", 1, "", began, ended, "ok", after)

    listens = record("listener", "listen", 0, 0, "bound", "listening")
    accepts = tuple(record("listener", "accept", n + 0.2, n + 0.6, "listening", "listening") for n in range(1, 300))
    sockets = [Recorded("listener", (listens, *accepts), "a:1", "")]
    for n in range(1, 300):
        connect = record(f"client{n}", "connect", n + 0.3, n + 0.5, "open", "connected")
        close = record(f"client{n}", "close", n + 0.9, n + 0.9, "connected", "closed")
        sockets.append(Recorded(f"client{n}", (connect, close), f"b:{n}", "a:1"))
    groups = [[each.call for each in _records(group)] for group in connections(sockets)]
    assert groups == [["listen", "accept", "connect", "close"]] * 299
