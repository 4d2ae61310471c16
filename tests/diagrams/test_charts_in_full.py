"""Whole sequence charts, letter by letter: golden/charts.txt has one for each number of objects, width and fold."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from golden_texts import GoldenTexts

from lifecycle.diagrams import sequence_chart
from lifecycle.diagrams.sequence.text import sequence_text
from lifecycle.engine import Record

golden = GoldenTexts(Path(__file__).parent / "golden")

REFUSED = "send() is illegal in closed: the object was closed. Nothing can be called on it any more."


def record(subject: str, call: str, began: float, seconds: float | None = 0.001, **changes: object) -> Record:
    """A call that has ended well after some seconds, unless something else is given."""
    values: dict[str, object] = {
        "role": "client", "subject": subject, "state": "connected", "call": call, "thread": "main", "file": "p.py", "line": 1,
        "arguments": "b'x'", "began": began, "ended": None if seconds is None else began + seconds, "outcome": "ok",
        "next_state": "connected",
    }  # fmt: skip
    return Record(*(values | changes).values())  # type: ignore[arg-type]


def conversation(objects: int) -> list[Record]:
    """Some objects with calls that are done, failed, refused, still running, overlapping, repeated, and with a long name."""
    records = []
    for number in range(objects):
        name, at = f"Client#{number + 1}" + " with a long name of its own" * (number == 1), number / 7
        records += [
            record(name, "open", at, state="empty", next_state="open"),
            record(name, "connect", at + 0.5, 3.25, state="open", outcome="refused", next_state="open",
                   error="ConnectionRefusedError: [Errno 111] Connection refused"),
            *(record(name, "send", at + 5 + place / 10, 0.0001) for place in range(5)),
            record(name, "receive", at + 6, 0.75 if number % 3 else None, next_state="peer_closed" if number % 3 else None),
            record(name, "send", at + 8, 0, state="closed", next_state="closed", outcome="illegal", error=REFUSED),
            record(name, "a_call_with_a_very_long_name_that_has_to_be_cut_somewhere", at + 9, 12.5),
        ]  # fmt: skip
    return sorted(records, key=lambda each: each.began)


@pytest.mark.parametrize("objects", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30])
def test_the_whole_chart_of_some_objects(objects: int) -> None:
    """The picture's size and the texts in it, and the text of the chart, are those expected for so many objects."""
    records = conversation(objects)
    svg = sequence_chart(records, "svg")
    shown = [line for line in svg.splitlines() if "<text" in line or "<svg" in line][: 40 if objects < 3 else 12]
    pages = [svg if objects in (1, 3) else "\n".join(shown), sequence_chart(records, "mermaid") if objects < 4 else ""]
    pages += [sequence_chart(records, width=width) for width in ((60, 100) if objects < 4 else (100,) if objects < 8 else ())]
    text = "\n".join(pages)
    assert text.rstrip("\n") + "\n" == golden("charts", f"{objects:02} objects", text)


@pytest.mark.parametrize("fold", [0, 2, 5, 6])
def test_the_whole_chart_with_a_fold(fold: int) -> None:
    """Calls that are repeated so often are one step, with how many of each outcome there were."""
    records = [
        *conversation(1)[:-2],
        *(
            record("Client#1", ("send", "receive")[place % 2], 10 + place, outcome=("ok", "pending")[place // 6])
            for place in range(8)
        ),
    ]  # fmt: skip
    text = sequence_chart(records, fold=fold, width=90)
    assert text.rstrip("\n") + "\n" == golden("charts", f"fold {fold}", text)


def test_a_chart_is_as_wide_as_a_terminal() -> None:
    """Without a width the text has eighty columns."""
    records = conversation(2)
    assert sequence_chart(records) == sequence_chart(records, width=80)
    assert inspect.signature(sequence_text).parameters["width"].default == 80
    assert max(map(len, sequence_chart(records).splitlines())) <= 80
