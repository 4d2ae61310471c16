"""What a journal records, and that nobody pays for one who does not look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from turnstile import BentCoin, Turnstile

from lifecycle import Journal, Server
from lifecycle.engine import IllegalCall
from lifecycle.engine.journal import OBSERVERS


def test_journal_records_calls_with_their_outcomes() -> None:
    """Every call is recorded with state, outcome and next state, refused and failed ones too."""
    with Journal() as journal, Turnstile() as turnstile:
        with pytest.raises(IllegalCall):
            turnstile.push()
        turnstile.coin(1, currency="DEM")
        with pytest.raises(BentCoin):
            turnstile.repair("hammer")
    assert [(r.state, r.call, r.outcome, r.next_state) for r in journal.records] == [
        ("locked", "push", "illegal", "locked"),
        ("locked", "coin", "sticks", "jammed"),
        ("jammed", "repair", "failed", "jammed"),
        ("jammed", "remove", "ok", "removed"),
    ]
    assert "A push needs a coin first" in journal.records[0].error
    assert journal.records[2].error.startswith("BentCoin")
    assert journal.cells() >= {("turnstile", "locked", "coin", "sticks")}


def test_record_tells_place_time_thread_and_arguments() -> None:
    """A record names the caller's file and line, the thread, begin and end, and a short text of the arguments."""
    with Journal() as journal, Turnstile() as turnstile:
        turnstile.coin(1, 2, currency="EUR", note="x" * 1000)
    record = journal.records[0]
    assert Path(record.file).name == Path(__file__).name
    assert "turnstile.coin(1, 2" in Path(__file__).read_text().splitlines()[record.line - 1]
    assert record.thread == "MainThread"
    assert record.ended is not None
    assert record.began <= record.ended
    assert record.arguments.startswith("1, 2, currency='EUR', note='xxx")
    assert len(record.arguments) < 100


def test_refused_arguments_have_no_outcome() -> None:
    """A call whose arguments were refused is recorded with its error and without an outcome."""
    with Journal() as journal, Turnstile() as turnstile, pytest.raises(ValueError, match="worth"):
        turnstile.coin(-1)
    assert (journal.records[0].outcome, journal.records[0].next_state) == (None, "locked")
    assert journal.records[0].error.startswith("ValueError")


def test_journal_of_chosen_objects() -> None:
    """A journal that was given objects records these alone, and names them by class and number."""
    with Turnstile() as one, Turnstile() as other:
        with Journal(other) as journal:
            one.coin(1)
            other.coin(1)
        other.push()
        one.push()
    assert [(r.subject, r.call) for r in journal.records] == [("Turnstile#1", "coin")]


def test_lines_are_json() -> None:
    """lines() gives one JSON object a record, with times from the first one."""
    with Journal() as journal, Turnstile() as turnstile:
        turnstile.look()
    first, last = [json.loads(line) for line in journal.lines()]
    assert (first["call"], first["outcome"], first["began"]) == ("look", "ok", 0.0)
    assert last["began"] >= first["ended"]
    assert list(Journal().lines()) == []


def test_observation_ends_with_the_block() -> None:
    """After the block nobody observes, also when it ended in an error, and the fast methods are back."""
    turnstile = Turnstile(engine="compiled")
    with pytest.raises(BentCoin), Journal():
        assert turnstile._node.look is None  # type: ignore[attr-defined]
        raise BentCoin
    assert OBSERVERS.present == ()
    assert turnstile._node.look is turnstile._node  # type: ignore[attr-defined]


def test_journals_may_overlap() -> None:
    """Two journals record the same calls, each while its own block runs."""
    with Turnstile() as turnstile, Journal() as outer:
        with Journal() as inner:
            turnstile.look()
        turnstile.look()
    assert (len(outer.records), len(inner.records)) == (2, 1)


def test_limit_keeps_the_newest_records() -> None:
    """A journal with a limit has that many records at most, the newest ones, and its lines begin with the oldest of them."""
    with Journal(limit=2) as journal, Server() as server:
        server.create(0, "127.0.0.1")
        server.listen()
    assert [record.call for record in journal.records] == ["listen", "close"]
    assert len(list(journal.lines())) == 2
