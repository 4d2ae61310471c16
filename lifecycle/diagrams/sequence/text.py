"""The chart for a terminal: a column of text per lane if they fit, else a narrow strip of marks per lane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lifecycle.diagrams.lettering import cells, cut, wrapped
from lifecycle.diagrams.sequence.chart import AT_ONCE, Chart, Moment, Part, Tone

LEAST_COLUMN = 24
MOST_COLUMN = 60
STRIP = 2

BUSY, IDLE, UNUSED = "#", "|", " "
MARKS = {Tone.DONE: "o", Tone.FAILED: "!", Tone.ILLEGAL: "X", Tone.RUNNING: "o"}


def sequence_text(chart: Chart, *, width: int = 80) -> str:
    """The chart as plain text of at most `width` columns, or more if a single word does not fit.

    `o` is a call, `!` one that failed, `X` an illegal one, `#` the time in which a call blocks its object.
    """
    if not chart.lanes:
        return "Nothing was recorded.\n"
    gutter = max(len(chart.unit), *(len(chart.clock(moment.time)) for moment in chart.moments)) + 2
    room = (width - gutter) // len(chart.lanes)
    lines = _columns(chart, gutter, min(room, MOST_COLUMN)) if room >= LEAST_COLUMN else _strips(chart, gutter, width)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _columns(chart: Chart, gutter: int, column: int) -> Iterator[str]:
    """Each text in its lane's own column."""
    yield chart.unit.rjust(gutter - 2) + "  " + "".join(_padded(_cut(lane.name, column - 2), column) for lane in chart.lanes)
    yield " " * gutter + "".join(_padded(f"{IDLE} {lane.state}", column) for lane in chart.lanes)
    for moment, line_marks, idle_marks in _marked(chart, range(len(chart.lanes))):
        for number, text in enumerate(_wrapped(chart, moment, column - 3)):
            marks = idle_marks if number else line_marks
            time = chart.clock(moment.time) if not number else ""
            yield (
                time.rjust(gutter - 2)
                + "  "
                + "".join(
                    _padded(f"{mark} {text}" if lane == moment.step.lane else mark, column) for lane, mark in enumerate(marks)
                )
            )


def _strips(chart: Chart, gutter: int, width: int) -> Iterator[str]:
    """A strip of marks for each lane, then the texts, each with the name of its object."""
    columns = chart.columns()
    letters = [_letter(number) for number in range(max(columns) + 1)]
    strip = max(map(len, letters)) + STRIP - 1
    for column, lane in zip(columns, chart.lanes, strict=True):
        yield f"{letters[column]}  {lane.name} ({lane.state})"
    if max(columns) == AT_ONCE - 1:
        yield f"Of more than {AT_ONCE} objects at once the last column shows several."
    yield ""
    yield chart.unit.rjust(gutter - 2) + "  " + "".join(letter.ljust(strip) for letter in letters)
    room = max(width - gutter - strip * len(letters) - 2, LEAST_COLUMN)
    for moment, line_marks, idle_marks in _marked(chart, columns):
        name = f"{chart.lanes[moment.step.lane].name}: "
        for number, text in enumerate(_wrapped(chart, moment, room, name)):
            marks = "".join(mark.ljust(strip) for mark in (idle_marks if number else line_marks))
            time = chart.clock(moment.time) if not number else ""
            yield f"{time.rjust(gutter - 2)}  {marks}  {text}"


def _marked(chart: Chart, columns: Sequence[int]) -> Iterator[tuple[Moment, list[str], list[str]]]:
    """Each row with the marks of all columns on its first line and on its further ones. columns: lane -> its column."""
    _, last = chart.spans()
    running = Counter[int]()  # lane -> its calls that have begun and not ended
    below = [UNUSED] * (max(columns) + 1)
    for row, moment in enumerate(chart.moments):
        lane = moment.step.lane
        here = columns[lane]
        running[lane] += {Part.BEGIN: 1, Part.END: -1, Part.WHOLE: 0}[moment.part]
        marks = below.copy()
        marks[here] = MARKS[moment.step.tone]
        below[here] = BUSY if running[lane] else IDLE
        yield moment, marks, below.copy()
        if row >= last[lane]:
            below[here] = UNUSED


def _wrapped(chart: Chart, moment: Moment, width: int, name: str = "") -> Iterator[str]:
    """The text of a row, on lines of at most `width` columns."""
    step = moment.step
    texts = [name + chart.headline(moment)]
    if moment.part is not Part.BEGIN:
        texts += [f"  {sentence}" for sentence in step.reason]
        if step.state:
            texts.append(f"  -> {step.state}")
    for text in texts:
        yield from wrapped(text, width, "    ")


def _padded(text: str, width: int) -> str:
    return text + " " * max(width - cells(text), 1)


def _cut(text: str, width: int) -> str:
    return cut(text, width, "...")


def _letter(number: int) -> str:
    """A, B ... Z, A1, B1 ..."""
    turn, place = divmod(number, 26)
    return chr(ord("A") + place) + (str(turn) if turn else "")
