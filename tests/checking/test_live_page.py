"""The two ends of `run --live` in one process: the file to which processes append, and the page that hands its lines on."""

from __future__ import annotations

import json
import os
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import LONG

from lifecycle.checking import checked_sockets, live_lines, live_page, track
from lifecycle.checking.live_lines import LIVE, LiveLines
from lifecycle.checking.live_page import LivePage
from lifecycle.checking.registry import track_of
from lifecycle.checking.shared_file import KEPT, SPARE, SPARES, SharedFile

FAREWELL = "It has ended."


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LivePage]:
    """A page of an empty folder, that looks at its file often."""
    monkeypatch.setattr(live_page, "EVERY", 0.005)
    made = LivePage(tmp_path)
    yield made
    made.close(FAREWELL)


def append(folder: Path, *lines: dict[str, Any], end: str = "\n") -> None:
    """Write to the file as processes of the program do."""
    with (folder / LIVE).open("a", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(each) for each in lines) + end)


def events_of(page: LivePage) -> list[tuple[str, Any]]:
    """All that one stream hands on until the farewell, its words first."""
    told: list[bytes] = []
    reader = threading.Thread(target=page.stream, args=(told.append,))
    reader.start()
    page.close(FAREWELL)
    reader.join(LONG)
    assert not reader.is_alive()
    pairs = [each.decode().removesuffix("\n\n").split("\ndata: ") for each in told]
    return [(kind.removeprefix("event: "), data) for kind, data in pairs]


def test_lines_are_handed_on_with_their_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records have the program's line, a finding is reported as one, what was cut is joined, and the farewell is the last."""
    monkeypatch.setattr(live_page, "EVERY", 0.005)
    monkeypatch.setattr(live_page, "MOST_AT_ONCE", 2)
    page = LivePage(tmp_path)
    source = tmp_path / "program.py"
    source.write_text("first\n    second" + "x" * 300 + "\n", encoding="utf-8")
    records = [{"call": str(number), "file": str(source), "line": number} for number in (1, 2, 3)]
    append(tmp_path, records[0], {"found": {"call": "listen"}}, records[1])
    whole = json.dumps(records[2])
    with (tmp_path / LIVE).open("a", encoding="utf-8") as file:
        file.write(whole[:9])
        file.flush()
        file.write(whole[9:] + "\n")
    *told, end = events_of(page)
    assert end == ("end", FAREWELL)
    assert [(kind, len(json.loads(data))) for kind, data in told] == [("message", 1), ("found", 1), ("message", 2)]
    messages = [each for kind, data in told if kind == "message" for each in json.loads(data)]
    assert messages == [
        records[0] | {"source": "first"}, records[1] | {"source": ("second" + "x" * 300)[:200]}, records[2] | {"source": ""}
    ]  # fmt: skip
    assert json.loads(told[1][1]) == [{"call": "listen"}]


@pytest.mark.parametrize(
    ("path", "host", "code"),
    [("/", "127.0.0.1", 200), ("/", "localhost", 200), ("/", "example.com", 403), ("/elsewhere", "127.0.0.1", 403)],
)
def test_page_is_served_under_its_own_names(page: LivePage, path: str, host: str, code: int) -> None:
    """The page has a head that forbids copies and referrers; another path, or a host of another name, gets nothing."""
    base, _, token = page.address.partition("/?token=")
    port = base.rpartition(":")[2]
    request = urllib.request.Request(f"{base}{path}?token={token}", headers={"Host": f"{host}:{port}"})
    if code != 200:
        with pytest.raises(urllib.error.HTTPError, match=str(code)):
            urllib.request.urlopen(request, timeout=LONG)
        return
    with urllib.request.urlopen(request, timeout=LONG) as answer:
        heads = [
            answer.headers[name] for name in ("Content-Type", "Cache-Control", "Referrer-Policy", "X-Content-Type-Options")
        ]
        assert heads == ["text/html; charset=utf-8", "no-store", "no-referrer", "nosniff"]
        assert f"events?token={token}" in answer.read().decode()


def test_only_the_whole_token_is_admitted(page: LivePage) -> None:
    """A token that is longer, or cut, is not the page's, and a host without the port, or with another, is not its own."""
    host, _, token = page.address.removeprefix("http://").partition("/?token=")
    assert page.admits(token, host)
    assert not any(page.admits(each, host) for each in ("", token[:-1], f"{token}x"))
    assert not any(page.admits(token, each) for each in ("127.0.0.1", "127.0.0.1:1"))


def test_calls_and_findings_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call has its place, and in a child the process in its socket's name; a finding has its text; at the limit it ends."""
    tell: list[Any] = []
    monkeypatch.setattr(track, "tell", tell.append)
    with checked_sockets() as findings, socket.socket() as sock:
        sock.listen()
        tracked = track_of(sock)
    (found,) = findings
    assert tracked is not None
    writers = [LiveLines(tmp_path, process) for process in (os.getpid(), 1)]
    writers[0].found(found)
    for noted in tell:
        noted(tracked, found.history[-1])
    monkeypatch.setattr(live_lines, "LARGEST", 9)
    writers.append(LiveLines(tmp_path, os.getpid()))
    writers[-1].found(found)
    told, *calls = (json.loads(line) for line in (tmp_path / LIVE).read_text(encoding="utf-8").splitlines())
    place = {"file": __file__, "line": found.line}
    assert told == {"found": {"socket": found.socket, "call": "listen", **place, "text": str(found), "count": 1}}
    assert [each["subject"] for each in calls] == [tracked.name, f"{tracked.name} of {os.getpid()}"]
    assert {"role": "stream", "call": "listen", "outcome": "ok", "state": "open", **place}.items() <= calls[0].items()
    for writer in writers:
        writer._file.free_spares()
        writer._file.read()


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let the descriptor's number be chosen")
def test_shared_file_outlives_a_program_that_closes_everything(tmp_path: Path) -> None:
    """Its descriptors lie above the program's, close at exec, and are opened again where others have their numbers."""
    path = tmp_path / "shared"
    shared = SharedFile(path)
    numbers = sorted([shared._number, *shared._spares])
    assert len(numbers) == 1 + SPARES
    assert all(number >= SPARE for number in numbers[:-1])
    assert numbers[-1] >= KEPT
    assert not any(os.get_inheritable(number) for number in numbers)
    assert path.stat().st_mode & 0o777 == 0o600
    shared.append("one\n")
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    for number in (shared._number, numbers[0]):
        os.dup2(other, number)
    shared.append("two\n")
    shared.free_spares()
    assert os.fstat(numbers[0]).st_ino == os.fstat(other).st_ino  # it is the program's now
    for number in numbers[1:-1]:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)
    assert shared.read() == "one\ntwo\n"
    assert os.fstat(shared._number).st_size == 0  # the program's file has nothing of it
    for number in (other, numbers[0], numbers[-1]):
        os.close(number)
    assert SharedFile.read(shared) == "one\ntwo\n"
    path.unlink()
    path.mkdir()
    assert shared.read() == ""
