"""Sequence charts: every record is in every format, repeated calls are folded, and the texts stay in their lanes."""

from __future__ import annotations

import re
import sys
import threading
import xml.etree.ElementTree as ElementTree

import pytest
from diagrams.programs import RealMermaid
from diagrams.strategies import journals
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from long_form import part
from loopback import LONG
from strategies import awkward_names

from lifecycle import Accepted, Client, IllegalCall, Journal, Server
from lifecycle.diagrams import CHART_FORMATS, NotAJournal, UnknownFormat, read_records, sequence_chart
from lifecycle.diagrams.lettering import cells, visible
from lifecycle.diagrams.sequence import chart_of
from lifecycle.diagrams.sequence.chart import Part, Tone
from lifecycle.engine import Record

SVG = "{http://www.w3.org/2000/svg}"


def recorded(count: int, call: str = "send", subject: str = "Client#1", outcome: str = "ok") -> list[Record]:
    """So many equal calls in a row on one connected object."""
    return [
        Record("client", subject, "connected", call, "main", "p.py", 1, "b'x'", i / 100, i / 100 + 0.001, outcome, "connected")
        for i in range(count)
    ]


def test_a_real_conversation_is_charted() -> None:
    """Two threads talk; the chart has a lane for each object, the states reached, who fired accepted(), and the waiting."""
    with Journal() as journal, Server(timeout=LONG) as server, Client(timeout=LONG) as client, Accepted() as accepted:
        server.create(0, "127.0.0.1")
        with pytest.raises(IllegalCall):
            server.accept()
        server.listen()
        waiting = threading.Thread(target=server.accept, args=(accepted,))
        waiting.start()
        client.create(0, "127.0.0.1")
        client.connect(*server.local_address)
        waiting.join(LONG)
    chart = chart_of(journal.records)
    assert [lane.name for lane in chart.lanes] == ["Server#1", "Accepted#1", "Client#1"]
    fired = [moment.step for moment in chart.moments if moment.step.fired_by is not None]
    assert {(chart.lanes[step.lane].name, chart.lanes[step.fired_by or 0].name) for step in fired} == {
        ("Accepted#1", "Server#1")
    }
    assert any(m.part is Part.END and m.step.short == "accept()" for m in chart.moments)
    refused = [m.step for m in chart.moments if m.step.tone is Tone.ILLEGAL]
    assert [step.reason[-1] for step in refused] == ["Call listen() first."]
    text = sequence_chart(journal.records, width=100)
    for promised in ("X accept() ILLEGAL in bound", "Call listen() first.", "-> listening", "-> connected", "(by Server#1)"):
        assert promised in text
    assert "L0->>L1: accepted()" in sequence_chart(journal.records, "mermaid")


@given(journals())
def test_every_record_is_charted_once_and_in_order(records: list[Record]) -> None:
    """The steps stand for all records; rows are in order of time; a begin without an end belongs to a call that still runs."""
    chart = chart_of(records)
    assert sum({id(m.step): m.step.count for m in chart.moments}.values()) == len(records)
    assert [m.time for m in chart.moments] == sorted(m.time for m in chart.moments)
    parts = [(id(m.step), m.part) for m in chart.moments]
    for moment in chart.moments:
        key = id(moment.step)
        if moment.part is Part.BEGIN:
            assert ((key, Part.END) in parts) == (moment.step.ended is not None)
        else:
            assert (key, Part.BEGIN) not in parts or moment.part is Part.END
    assert {lane.name for lane in chart.lanes} == {record.subject for record in records}


@given(journals(awkward_names), st.sampled_from(list(CHART_FORMATS)))
@settings(max_examples=part(60, 20))
def test_unfolded_every_call_and_state_is_in_every_format(records: list[Record], format: str) -> None:
    """With nothing folded, each call's name and each state that was reached can be read in the chart, whatever its letters."""
    shown = plain(sequence_chart(records, format, fold=0, width=400), format)
    for record in records:
        assert bare(visible(record.call)) in shown
        assert bare(visible(record.next_state or "")) in shown
    assert shown.count("ILLEGAL") >= sum(record.outcome == "illegal" for record in records)


@given(journals(awkward_names, most=12))
@settings(max_examples=part(20, 8), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_real_mermaid_draws_any_run(mermaid_itself: RealMermaid, records: list[Record]) -> None:
    """Mermaid itself draws the chart, with every object and every row's call in it."""
    mermaid_itself.drawn(sequence_chart(records, "mermaid"))
    shown = bare(mermaid_itself.ask("document.getElementById('place').textContent"))
    chart = chart_of(records)
    for text in [lane.name for lane in chart.lanes] + [chart.headline(moment) for moment in chart.moments]:
        assert bare(text) in shown


def bare(text: str) -> str:
    """A text without spaces and without the signs that the text format uses as marks."""
    return re.sub(r"[\s|#o!X]", "", text)


def plain(chart: str, format: str) -> str:
    """A chart's texts without marks, spaces, and breaks of lines."""
    if format == "svg":
        chart = "".join(ElementTree.fromstring(chart).itertext())
    if format == "mermaid":
        assert all(line.isprintable() for line in chart.splitlines())
        chart = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), chart.replace("<br/>", ""))
    return bare(chart)


@given(journals(), st.integers(min_value=40, max_value=160))
def test_the_text_keeps_to_its_width(records: list[Record], width: int) -> None:
    """No line is wider than asked for where there is room for the texts at all."""
    for line in sequence_chart(records, width=width).splitlines():
        assert cells(line) <= max(width, 60)


@given(journals(awkward_names))
@settings(max_examples=part(60, 20))
def test_no_text_of_the_svg_leaves_its_lane_or_row(records: list[Record]) -> None:
    """In the SVG, no two texts of a lane share a line, and none is wider than its lane."""
    svg = ElementTree.fromstring(sequence_chart(records, "svg"))
    places: dict[float, list[float]] = {}
    for text in svg.iter(f"{SVG}text"):
        x, y, width = float(text.get("x", "")), float(text.get("y", "")), cells(text.text or "") * 6.7
        if text.get("text-anchor") == "end":
            assert x - width >= 0
            continue
        assert x + width <= float(svg.get("width", ""))
        places.setdefault(x, []).append(y)
    for column in places.values():
        assert len(set(column)) == len(column)
        assert min((b - a for a, b in zip(sorted(column), sorted(column)[1:], strict=False)), default=15) >= 13


def test_repeated_calls_are_folded() -> None:
    """Five hundred calls in a row are one row that counts them; fold=0 shows each."""
    records = recorded(500)
    assert "send x500" in sequence_chart(records)
    assert len(chart_of(records).moments) == 1
    assert len(chart_of(records, fold=0).moments) == 500


def test_two_repetitions_are_not_folded_and_three_are() -> None:
    """Folding begins at three equal calls."""
    assert len(chart_of(recorded(2)).moments) == 2
    assert len(chart_of(recorded(3)).moments) == 1


def test_a_talk_of_questions_and_answers_is_folded_on_both_lanes() -> None:
    """A hundred round trips are one blocked stretch on each of the two lanes."""
    records = []
    for turn in range(100):
        at = float(turn)
        for offset, subject, call in ((0.0, "A", "send"), (0.2, "B", "receive"), (0.4, "B", "send"), (0.6, "A", "receive")):
            records.append(
                Record(
                    "client", subject, "connected", call, subject, "p", 1, "", at + offset, at + offset + 0.1, "ok", "connected"
                )
            )
    chart = chart_of(records)
    assert [chart.headline(moment) for moment in chart.moments] == [
        "send x100, receive x100 ...",
        "receive x100, send x100 after 99.30 s",
        "send x100, receive x100 ok after 99.70 s",
    ]


def test_a_long_call_shows_its_duration_though_nothing_else_happened() -> None:
    """A receive that waits for a quarter of a second in a program with one thread shows that it blocked."""
    record = Record("client", "Client#1", "connected", "receive", "main", "p", 1, "", 1.0, 1.25, "timed_out", "connected")
    assert "receive() [timed_out] after 250.00 ms" in sequence_chart([record])
    assert "blocked" in sequence_chart([record], "svg").partition("</style>")[2]


def test_refusals_and_failures_are_not_hidden_by_folding() -> None:
    """A refusal among equal calls has its own row; failures that are folded are counted with their outcome, and marked."""
    records = recorded(10)
    records[5].outcome, records[5].error = "illegal", "IllegalCall: no.\n  Because."
    tones = [moment.step.tone for moment in chart_of(records).moments]
    assert tones == [Tone.DONE, Tone.ILLEGAL, Tone.DONE]
    (failed,) = chart_of(recorded(4, outcome="failed")).moments
    assert (failed.step.label, failed.step.tone) == ("send [failed] x4", Tone.FAILED)


def test_a_call_is_fired_by_the_one_around_it_in_its_own_thread() -> None:
    """Of two servers that accept at the same time, the one in whose thread accepted() runs fired it; one that ended did not."""
    records = [
        Record("server", "Server#1", "listening", "accept", "one", "p", 1, "", 0.0, 0.5, "ok", "listening"),
        Record("server", "Server#1", "listening", "accept", "one", "p", 1, "", 1.0, 9.0, "ok", "listening"),
        Record("server", "Server#2", "listening", "accept", "two", "p", 1, "", 2.0, 8.0, "ok", "listening"),
        Record("accepted", "Accepted#1", "empty", "accepted", "two", "p", 1, "", 3.0, 4.0, "ok", "connected"),
        Record("accepted", "Accepted#2", "empty", "accepted", "one", "p", 1, "", 5.0, 6.0, "ok", "connected"),
        Record("accepted", "Accepted#3", "empty", "accepted", "two", "p", 1, "", 8.5, 8.6, "ok", "connected"),
        Record("accepted", "Accepted#4", "empty", "accepted", "three", "p", 1, "", 8.7, 8.8, "ok", "connected"),
    ]
    chart = chart_of(records)
    steps = {chart.lanes[moment.step.lane].name: moment.step for moment in chart.moments}
    fired_by = {name: step.fired_by for name, step in steps.items() if name.startswith("Accepted")}
    servers = {lane.name: number for number, lane in enumerate(chart.lanes)}
    expected = {"Accepted#1": servers["Server#2"], "Accepted#2": servers["Server#1"], "Accepted#3": None, "Accepted#4": None}
    assert fired_by == expected


def test_a_call_is_fired_by_another_of_the_same_tick() -> None:
    """Where a coarse clock gives both calls the same times, accept() still fired accepted()."""
    records = [
        Record("server", "Server#1", "listening", "accept", "one", "p", 1, "", 1.0, 1.0, "ok", "listening"),
        Record("accepted", "Accepted#1", "empty", "accepted", "one", "p", 1, "", 1.0, 1.0, "ok", "connected"),
    ]
    chart = chart_of(records)
    (fired,) = {moment.step.fired_by for moment in chart.moments if chart.lanes[moment.step.lane].name == "Accepted#1"}
    assert fired is not None
    assert chart.lanes[fired].name == "Server#1"


@pytest.mark.parametrize("format", CHART_FORMATS)
def test_a_chart_costs_what_its_connections_cost(format: str) -> None:
    """Four times as many connections of a server take four times as many calls of Python, not sixteen times."""
    assert python_calls(format, 400) < 6 * python_calls(format, 100)


def python_calls(format: str, connections: int) -> int:
    """How many functions and methods run while the chart of a server with so many connections is drawn."""
    records = []
    for number in range(connections):
        at, subject = 2.0 * number, f"Accepted#{number}"
        records += [
            Record("server", "Server#1", "listening", "accept", "main", "p", 1, "", at, at + 1.5, "ok", "listening"),
            Record("accepted", subject, "empty", "accepted", "main", "p", 1, "", at + 0.5, at + 1, "ok", "connected"),
            Record("accepted", subject, "connected", "close", "main", "p", 1, "", at + 1.6, at + 1.7, "ok", "closed"),
        ]
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        sequence_chart(records, format)
    finally:
        sys.setprofile(before)
    return count


def test_a_folded_run_ends_with_its_last_end() -> None:
    """Where an earlier call of a run ends after the later ones, the run lasts until that end."""
    records = recorded(3)
    records[0].ended = 0.5
    (step,) = {id(moment.step): moment.step for moment in chart_of(records).moments}.values()
    assert (step.count, step.ended) == (3, 0.5)


def test_different_refusals_are_not_folded_together() -> None:
    """Refusals of two calls in turn have a row each: each has its own reason."""
    records = [*recorded(3, outcome="illegal"), *recorded(3, "receive", outcome="illegal")]
    for number, record in enumerate(records):
        record.began, record.ended = number / 10, number / 10
    assert [moment.step.label for moment in chart_of(records).moments] == ["send [illegal] x3", "receive [illegal] x3"]


def test_a_long_svg_repeats_the_names_of_the_lanes() -> None:
    """Further down than a screen, the name of each lane that goes on stands once more."""
    short, long = (sequence_chart([*recorded(1), *recorded(count, subject="Client#2")], "svg", fold=0) for count in (2, 100))
    names = [re.findall(r'<text class="name[^>]*>(.*?)</text>', chart) for chart in (short, long)]
    assert names[0] == ["Client#1", "Client#2"]
    assert names[1].count("Client#2") > 2
    assert names[1].count("Client#1") == 1


def test_a_call_that_still_runs_is_charted() -> None:
    """A call without an end has a begin alone, in every format."""
    record = Record("client", "Client#1", "connected", "receive", "main", "p", 1, "", 1.0)
    for format in CHART_FORMATS:
        assert "receive() ..." in sequence_chart([record], format)


def test_refused_arguments_are_shown() -> None:
    """A call whose arguments were refused before anything happened shows the error in the place of an outcome."""
    record = Record("client", "Client#1", "empty", "create", "main", "p", 1, "99999", 1.0)
    record.end(None, "empty", ValueError("port 99999 is not in 0..65535"))
    text = sequence_chart([record])
    assert "! create(99999) [ValueError]" in text
    assert "ValueError: port 99999 is not in 0..65535" in text


@pytest.mark.parametrize("format", CHART_FORMATS)
def test_an_empty_journal_says_so(format: str) -> None:
    """Nothing recorded is a chart too."""
    assert "Nothing was recorded" in sequence_chart([], format)


def test_an_unknown_format_names_the_known_ones() -> None:
    """A wrong format is answered with the right ones."""
    with pytest.raises(UnknownFormat, match=r"Did you mean 'mermaid'\? Known formats: text, mermaid, svg\."):
        sequence_chart([], "mermade")


@given(journals())
def test_what_was_written_down_is_read_back(records: list[Record]) -> None:
    """A journal that was printed as lines of JSON gives the same chart as the journal itself."""
    journal = Journal()
    journal.records = records
    assert sequence_chart(read_records(journal.lines())) == sequence_chart(records)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2 is not JSON"),
        ("[]", "line 2 is not a JSON object but a list"),
        ('{"role": "client"}', "line 2 has no 'arguments'"),
    ],
)
def test_a_line_that_is_not_a_record_is_refused(line: str, complaint: str) -> None:
    """The error names the first line that is not a record."""
    with pytest.raises(NotAJournal, match=complaint):
        read_records(["", line])


def test_a_record_with_a_wrong_field_is_refused() -> None:
    """A field of the wrong type is named with its value."""
    journal = Journal()
    journal.records = recorded(1)
    (line,) = journal.lines()
    with pytest.raises(NotAJournal, match="line 1: began is 'soon'"):
        read_records([re.sub(r'"began": [\d.]+', '"began": "soon"', line)])
