"""The chart as SVG: the lanes from left to right, time from top to bottom, with colours for light and dark.

Text is monospaced, so that its width is known without the font.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lifecycle.diagrams.lettering import cells, cut, wrapped, xml_text
from lifecycle.diagrams.sequence.chart import Chart, ChartStep, Moment, Part, Tone

LETTER = 6.7  # width of one letter at the font's size of 11
LINE = 15
GAP = 7  # between rows
BAR = 8
HEAD = 44
MARGIN = 12
REPEAT_HEADS = 700  # pixels after which the names of the lanes are repeated

STYLE = """
svg { font: 11px ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace; }
.page { fill: #ffffff } .stripe { fill: #f5f6f8 } text { fill: #1c2430 }
.name { font-weight: 700 } .quiet { fill: #667085 } .state { fill: #0b6bb8 } .reason { fill: #b42318 }
.head { fill: #eef2f7; stroke: #98a2b3 } .life { stroke: #98a2b3; stroke-dasharray: 3 3 } .fires { stroke: #667085 }
.tip { fill: #667085 } .done { fill: #2f8f5b } .running { fill: #2f8f5b } .failed { fill: #d9820f } .illegal { fill: #d92d20 }
.blocked { fill-opacity: .35; stroke: #2f8f5b } .failed.blocked { stroke: #d9820f } .illegal.blocked { stroke: #d92d20 }
.refused { fill: #fdeceb } text.failed { fill: #a65f00 } text.illegal { fill: #b42318; font-weight: 700 }
text.done, text.running { fill: #1c2430 }
@media (prefers-color-scheme: dark) {
.page { fill: #14181f } .stripe { fill: #1a2029 } text, text.done, text.running { fill: #e4e7ec }
.quiet { fill: #98a2b3 } .state { fill: #6cb8f5 } .reason { fill: #ff9c93 } .head { fill: #232b36; stroke: #667085 }
.refused { fill: #3a1d1d } text.failed { fill: #f2b45c } text.illegal { fill: #ff8a80 } }
"""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of a row, and its class."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row with its lines and its place. Above it are the names of `heads`: lanes that continue, or one that begins."""

    moment: Moment
    lines: tuple[TextLine, ...]
    top: float
    heads: tuple[int, ...] = ()
    begins: bool = False

    @property
    def bottom(self) -> float:
        """The top of the next row."""
        return self.top + len(self.lines) * LINE + GAP


def sequence_svg(chart: Chart) -> str:
    """The chart as one SVG document."""
    return Drawing(chart).svg()


class Drawing:
    """The measures of one chart, and its elements in the order in which they are painted."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.columns = chart.columns()
        self.first_of_column = {column: lane for lane, column in reversed(list(enumerate(self.columns)))}
        count = max(self.columns, default=0) + 1
        self.letters = _letters_of_a_column(chart, count)
        self.lane_width = self.letters * LETTER + 2 * BAR + MARGIN
        times = [chart.clock(moment.time) for moment in chart.moments]
        self.gutter = MARGIN + LETTER * max(map(len, [chart.unit, *times])) + MARGIN
        self.rows = list(self._place())
        self.width = self.gutter + self.lane_width * count
        self.height = (self.rows[-1].bottom if self.rows else HEAD + 2 * LINE) + MARGIN

    def svg(self) -> str:
        """The whole document."""
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" height="{self.height:.0f}" '
            f'viewBox="0 0 {self.width:.0f} {self.height:.0f}" role="img">',
            f"<title>{xml_text(_title(self.chart))}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{self.width:.0f}" height="{self.height:.0f}"/>',
            *self._stripes(),
            *self._lifelines(),
            *self._bars(),
            *self._texts(),
            *self._heads(),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _axis(self, lane: int) -> float:
        return self.gutter + self.columns[lane] * self.lane_width + BAR

    def _place(self) -> Iterator[PlacedRow]:
        moments = self.chart.moments
        first, last = self.chart.spans()
        top, named = float(HEAD + LINE), float(HEAD)
        alive: dict[int, None] = {}  # lanes that have begun and not ended, in order of their begins
        for number, moment in enumerate(moments):
            row = PlacedRow(moment, tuple(self._lines(moment)), top)
            lane = moment.step.lane
            if first[lane] == number and self.first_of_column[self.columns[lane]] != lane:
                row = replace(row, heads=(lane,), begins=True, top=top + HEAD)
            elif top - named > REPEAT_HEADS:
                row, named = replace(row, heads=self._one_a_column(alive), top=top + LINE + GAP), top
            alive[lane] = None
            if last[lane] == number:
                del alive[lane]
            top = row.bottom
            yield row

    def _one_a_column(self, lanes: Iterable[int]) -> tuple[int, ...]:
        return tuple({self.columns[lane]: lane for lane in lanes}.values())

    def _lines(self, moment: Moment) -> Iterator[TextLine]:
        step = moment.step
        texts = [TextLine(self.chart.headline(moment), step.tone)]
        if moment.part is not Part.BEGIN:
            texts += [TextLine(sentence, "reason") for sentence in step.reason]
            if step.state:
                texts.append(TextLine(f"\N{RIGHTWARDS ARROW} {step.state}", "state"))
        for each in texts:
            yield from (TextLine(line, each.kind) for line in wrapped(each.text, self.letters, "  "))

    def _stripes(self) -> Iterator[str]:
        for number, row in enumerate(self.rows):
            if number % 2:
                place = f'y="{row.top - GAP / 2:.1f}" width="{self.width:.0f}"'
                yield f'<rect class="stripe" {place} {_height(row.bottom - row.top)}/>'

    def _lifelines(self) -> Iterator[str]:
        ends: dict[int, tuple[PlacedRow, PlacedRow]] = {}
        for row in self.rows:
            lane = row.moment.step.lane
            ends[lane] = (ends.get(lane, (row, row))[0], row)
        for lane, (first, last) in sorted(ends.items()):
            x = self._axis(lane)
            top = first.top - GAP if first.begins else HEAD
            yield f'<line class="life" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{last.top + LINE:.1f}"/>'

    def _bars(self) -> Iterator[str]:
        begun: dict[int, PlacedRow] = {}
        for row in self.rows:
            step = row.moment.step
            if row.moment.part is Part.BEGIN:
                begun[id(step)] = row
                continue
            if row.moment.part is Part.WHOLE:
                yield from self._bar(step, row.top, row.top + LINE, row)
            else:
                first = begun.pop(id(step))
                yield from self._bar(step, first.top, row.top + LINE, first)
        for row in begun.values():
            yield from self._bar(row.moment.step, row.top, self.height - MARGIN, row)

    def _bar(self, step: ChartStep, top: float, bottom: float, first: PlacedRow) -> Iterator[str]:
        x = self._axis(step.lane) - BAR / 2
        if step.tone is Tone.ILLEGAL:
            box = f'x="{x - 2:.1f}" y="{first.top - 2:.1f}" width="{self.lane_width - MARGIN / 2:.1f}"'
            yield f'<rect class="refused" rx="3" {box} {_height(len(first.lines) * LINE + 4)}/>'
        blocked = " blocked" if first.moment.part is Part.BEGIN or step.is_long else ""
        yield f'<rect class="{step.tone}{blocked}" rx="2" x="{x:.1f}" y="{top:.1f}" width="{BAR}" {_height(bottom - top)}>'
        yield f"<title>{xml_text(_tip(self.chart, step))}</title></rect>"
        if step.fired_by is not None:
            y, start, end = first.top - GAP / 2, self._axis(step.fired_by), self._axis(step.lane)
            side = 1 if end > start else -1
            start, end = start + side * BAR / 2, end - side * BAR / 2
            yield f'<line class="fires" x1="{start:.1f}" y1="{y:.1f}" x2="{end:.1f}" y2="{y:.1f}"/>'
            yield f'<path class="tip" d="M{end:.1f} {y:.1f} l{-6 * side} -3.5 v7 z"/>'

    def _texts(self) -> Iterator[str]:
        for row in self.rows:
            time = self.chart.clock(row.moment.time)
            yield f'<text class="quiet" text-anchor="end" x="{self.gutter - MARGIN:.1f}" y="{row.top + 11:.1f}">{time}</text>'
            x = self._axis(row.moment.step.lane) + BAR
            for number, line in enumerate(row.lines):
                y = row.top + 11 + number * LINE
                yield f'<text class="{line.kind}" x="{x:.1f}" y="{y:.1f}" xml:space="preserve">{xml_text(line.text)}</text>'

    def _heads(self) -> Iterator[str]:
        yield f'<text class="quiet" text-anchor="end" x="{self.gutter - MARGIN:.1f}" y="{HEAD - 4}">{self.chart.unit}</text>'
        for lane in sorted(self.first_of_column.values()):
            yield from self._head(lane, HEAD)
        for row in self.rows:
            for lane in row.heads:
                if row.begins:
                    yield from self._head(lane, row.top - GAP)
                else:
                    name = xml_text(_cut(self.chart.lanes[lane].name, self.letters))
                    yield f'<text class="name quiet" x="{self._axis(lane) + BAR:.1f}" y="{row.top - GAP:.1f}">{name}</text>'

    def _head(self, number: int, bottom: float) -> Iterator[str]:
        """The box with an object's name and its state before its first call."""
        lane, x = self.chart.lanes[number], self._axis(number) - BAR / 2
        width, top = self.lane_width - MARGIN, bottom - HEAD + MARGIN - 6
        yield f'<rect class="head" rx="4" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" {_height(HEAD - 8)}>'
        yield f"<title>{xml_text(f'{lane.name}, {lane.role}: {lane.state}')}</title></rect>"
        yield f'<text class="name" x="{x + 6:.1f}" y="{top + 15:.1f}">{xml_text(_cut(lane.name, self.letters))}</text>'
        yield f'<text class="state" x="{x + 6:.1f}" y="{top + 29:.1f}">{xml_text(_cut(lane.state, self.letters))}</text>'


def _letters_of_a_column(chart: Chart, columns: int) -> int:
    """The width of a column: less with more columns, at most that of the longest text."""
    most = {1: 60, 2: 46, 3: 36, 4: 30, 5: 28, 6: 26, 7: 24, 8: 22, 9: 22}.get(columns, 18)
    texts = [chart.headline(moment) for moment in chart.moments]
    texts += [sentence for moment in chart.moments for sentence in moment.step.reason]
    texts += [text for lane in chart.lanes for text in (lane.name, lane.state)]
    return max(14, min(most, max((cells(text) for text in texts), default=0)))


def _cut(text: str, letters: int) -> str:
    return cut(text, letters, "\N{HORIZONTAL ELLIPSIS}")


def _height(pixels: float) -> str:
    return f'height="{max(pixels, 1):.1f}"'


def _tip(chart: Chart, step: ChartStep) -> str:
    ended = f"took {chart.lasted(step)}" if step.ended is not None else "had not ended"
    return f"{chart.lanes[step.lane].name}: {step.label} {step.outcome or 'ok'}, {ended}"


def _title(chart: Chart) -> str:
    if not chart.lanes:
        return "Nothing was recorded"
    return f"Sequence of {len({id(moment.step) for moment in chart.moments})} calls on {len(chart.lanes)} objects"
