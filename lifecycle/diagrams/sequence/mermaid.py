"""The chart as a Mermaid sequence diagram."""

from __future__ import annotations

from collections.abc import Iterator

from lifecycle.diagrams.lettering import mermaid_text, wrapped
from lifecycle.diagrams.sequence.chart import Chart, Moment, Part, Tone

NOTE_WIDTH = 36
ILLEGAL_BACKGROUND = "rgba(220, 38, 38, 0.2)"


def sequence_mermaid(chart: Chart) -> str:
    """The chart as the text of a `sequenceDiagram`; a blocked object is drawn active."""
    return "".join(f"{line}\n" for line in _lines(chart))


def _lines(chart: Chart) -> Iterator[str]:
    yield "sequenceDiagram"
    if not chart.lanes:
        yield "    participant none as Nothing was recorded"
    for number, lane in enumerate(chart.lanes):
        yield f"    participant L{number} as {mermaid_text(lane.name)}"
    shown: set[int] = set()
    for moment in chart.moments:
        yield from _row(chart, moment, is_first=moment.step.lane not in shown)
        shown.add(moment.step.lane)


def _row(chart: Chart, moment: Moment, *, is_first: bool) -> Iterator[str]:
    step = moment.step
    lane = f"L{step.lane}"
    if moment.part is Part.END:
        yield f"    deactivate {lane}"
    if step.tone is Tone.ILLEGAL:
        yield f"    rect {ILLEGAL_BACKGROUND}"
    if step.fired_by is not None and moment.part is not Part.END:
        yield f"    L{step.fired_by}->>{lane}: {mermaid_text(step.short)}"
    yield f"    Note right of {lane}: {'<br/>'.join(map(mermaid_text, _texts(chart, moment, is_first=is_first)))}"
    if step.tone is Tone.ILLEGAL:
        yield "    end"
    if moment.part is Part.BEGIN:
        yield f"    activate {lane}"


def _texts(chart: Chart, moment: Moment, *, is_first: bool) -> Iterator[str]:
    yield chart.headline(moment)
    if is_first and not moment.step.state:
        yield f"in {moment.step.before}"
    if moment.part is not Part.BEGIN:
        for sentence in moment.step.reason:
            yield from wrapped(sentence, NOTE_WIDTH)
        if moment.step.state:
            yield f"{moment.step.before} \N{RIGHTWARDS ARROW} {moment.step.state}"
