"""The charts of a run: which sockets belong together, and what is written."""

from __future__ import annotations

import runpy
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from lifecycle.checking import charts, session
from lifecycle.checking.charts import Recorded, _records, connections, read_recorded, recorded, title_of, write_charts
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


def made(name: str, ends: str, *calls: str) -> Recorded:
    """A socket by its ends "local peer" (- for none), and calls: "begin end call state next_state"."""
    local, peer = (end.replace("-", "") for end in ends.split())
    records = []
    for text in calls:
        began, ended, call, state, after = text.split()
        times = float(began), None if ended == "-" else float(ended)
        records.append(Record(OBSERVED_STREAM.real.name, name, state, call, "t", "f", 1, "", *times, "ok", after))
    return Recorded(name, tuple(records), local, peer)


LISTENER = made("listener", "a:1 -", "1 1 bind open bound", "2 2 listen bound listening", "5 9 accept listening listening")
CLIENT = made("client", "b:2 a:1", "3 6 connect open connected", "10 10 close connected closed")
SERVED = made("served", "a:1 b:2", "7 8 recv connected connected", "12 12 close connected closed")
PAIRED = {
    "a client and what it is served by": ([CLIENT, SERVED, LISTENER], ["listener client served: b:2 -> a:1"]),
    "a client without a listener": ([CLIENT, SERVED], ["client served: a:1 -> b:2"]),
    "a client alone": ([CLIENT], ["client: b:2 -> a:1"]),
    "a client of a listener, whose other end is elsewhere": ([LISTENER, CLIENT], ["listener client: b:2 -> a:1"]),
    "what is served, and its listener": ([LISTENER, SERVED], ["listener served: a:1 -> b:2"]),
    "a listener alone": ([LISTENER], ["listener: a:1"]),
    "a socket without a name": ([made("new", "- -", "4 4 close open closed")], ["new: "]),
    "a socket that is its own peer": ([made("self", "c:3 c:3", "4 4 close connected closed")], ["self: c:3 -> c:3"]),
    "a bound socket": ([made("bound", "c:3 -", "4 4 bind open bound"), CLIENT], ["client: b:2 -> a:1", "bound: c:3"]),
    "two connections in the order of their begin": (
        [made("late", "d:4 a:1", "9 9 connect open connected"), LISTENER, CLIENT],
        ["listener client: b:2 -> a:1", "listener late: d:4 -> a:1"],
    ),
    "a second listener": (
        [LISTENER, made("idle", "e:5 -", "2 2 listen bound listening"), CLIENT],
        ["idle: e:5", "listener client: b:2 -> a:1"],
    ),
}  # fmt: skip
"""sockets -> their groups, each with its title"""


@pytest.mark.parametrize("name", PAIRED)
def test_sockets_are_grouped_by_their_ends(name: str) -> None:
    """The ends of a connection form a group with their listener; groups are in the order of their first call."""
    sockets, expected = PAIRED[name]
    groups = list(connections(sockets))
    titles = [title_of(group) for group in groups]
    shown = [f"{' '.join(each.name for each in group)}: " for group in groups]
    ends = [title.partition(" (")[2].removesuffix(")") for title in titles]
    assert [f"{names}{end}" for names, end in zip(shown, ends, strict=True)] == expected
    assert all(title.startswith(", ".join(each.name for each in group)) for title, group in zip(titles, groups, strict=True))


@pytest.mark.parametrize(("count", "kept"), [(15, 15), (16, 16), (17, 16)])
def test_a_listener_is_shown_with_its_first_calls(count: int, kept: int) -> None:
    """Of the calls with which it begins to listen the first sixteen are shown, and of those only what changes its state."""
    changes = [f"0.{each:02} 0.{each:02} listen bound listening" for each in range(10, 10 + count)]
    same = "0.05 0.05 getsockname bound bound"
    listener = made("listener", "a:1 -", *changes)
    assert [each.subject for each in _records([listener, CLIENT, SERVED])].count("listener") == kept
    assert "getsockname" not in [each.call for each in _records([made("listener", "a:1 -", same, *changes), CLIENT])]


@pytest.mark.parametrize(("count", "kept"), [(63, 63), (64, 64), (65, 64)])
def test_a_listener_is_shown_with_the_calls_that_wait(count: int, kept: int) -> None:
    """Of the calls that began before the connection's first and end in it, the last sixty-four are shown; others are not."""
    waiting = [f"1.{each:03} 4 accept listening listening" for each in range(100, 100 + count)]
    listener = made("listener", "a:1 -", *waiting)
    assert [each.began for each in _records([listener, CLIENT])][:1] == [pytest.approx(1.1 + (count - kept) / 1000)]
    assert [each.subject for each in _records([listener, CLIENT])].count("listener") == kept
    over = [text.replace(" 4 ", " 2 ") for text in waiting]
    assert [each.subject for each in _records([made("listener", "a:1 -", *over), CLIENT])].count("listener") == 0
    still = made("listener", "a:1 -", "1 - accept listening listening", "10 - accept listening listening")
    assert [each.began for each in _records([still, CLIENT])] == [1, 3, 10, 10]
    later = made("listener", "a:1 -", "10.5 11 accept listening listening")
    assert [each.subject for each in _records([later, CLIENT])] == ["client", "client"]


@pytest.mark.parametrize(("count", "words"), [(2000, ""), (2001, "The first 2,000 of 2,001 calls are drawn.")])
def test_long_chart_says_what_it_leaves_out(folder: Path, count: int, words: str) -> None:
    """A chart has two thousand calls, and its text says so where there are more; as a picture the run says it."""
    many = made("client", "b:2 a:1", *["1 1 recv connected connected"] * count)
    notes = write_charts(Settings(chart=str(folder / "chart.txt")), [many], [])
    assert notes == ([f"client (b:2 -> a:1): {words}"] if words else [])
    lines = (folder / "chart.txt").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["client (b:2 -> a:1)", words]


def test_files_of_a_run_are_limited(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many connections get a file each, and a note says how many there are."""
    monkeypatch.setattr(charts, "MOST_FILES", 3)
    sockets = [made(f"s{each}", f"b:{each} a:1", f"{each} {each} recv connected connected") for each in range(4)]
    notes = write_charts(Settings(chart=str(folder / "all.mmd")), sockets, [])
    assert notes == ["The first 3 of 4 connections are drawn; --connection N draws another."]
    assert write_charts(Settings(chart=str(folder / "all.mermaid")), sockets[1:], []) == []
    names = [f"all-{each}.{kind}" for kind in ("mermaid", "mmd") for each in (1, 2, 3)]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
