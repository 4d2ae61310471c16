"""The demo's output: the two sides next to each other, then the refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lifecycle.cli.demo_programs import CONVERSATION, HOST, Refusal, ShownLine

HEADING, STATE, ERROR = "bold", "cyan", "red"
UNBOUNDED = 1000


def demo_page(lines: Sequence[ShownLine], refusals: Sequence[Refusal], console: Console) -> Iterator[RenderableType]:
    """The parts of the page, to be printed one after the other."""
    yield Text(f"The sequence of operations, on real sockets of {HOST}", HEADING)
    yield ""
    side_by_side = _columns(lines, states_beside=True)
    if not _fits(side_by_side, console):
        side_by_side = _columns(lines, states_beside=False)
    yield side_by_side
    if refusals:
        yield ""
        yield Text("Calls out of order, refused before the operating system is asked", HEADING)
    for refusal in refusals:
        yield ""
        for line in refusal.program:
            yield Padding(line, (0, 0, 0, 2), expand=False)
        yield _as_raised(refusal, console)


def _columns(lines: Sequence[ShownLine], *, states_beside: bool) -> Table:
    """One row per step: the calls of each side, with their next states beside or below them."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=HEADING)
    table.add_column("", justify="right")
    for side in CONVERSATION:
        table.add_column(side, ratio=None if states_beside else 1)
        if states_beside:
            table.add_column("")
    for step in sorted({line.step for line in lines}):
        cells: list[RenderableType] = []
        for side in CONVERSATION:
            mine = [line for line in lines if (line.side, line.step) == (side, step)]
            calls = [Text(line.code) for line in mine]
            states = [Text(f"-> {line.states}", STATE) for line in mine]
            if states_beside:
                cells += [Text("\n").join(calls), Text("\n").join(states)]
            else:
                both = (part for call, state in zip(calls, states, strict=True) for part in (call, Text("  ") + state))
                cells.append(Text("\n").join(both))
        table.add_row(str(step), *cells)
    return table


def _fits(table: Table, console: Console) -> bool:
    unbounded = console.options.update(max_width=UNBOUNDED)
    return console.measure(table, options=unbounded).maximum <= console.width


def _as_raised(refusal: Refusal, console: Console) -> RenderableType:
    """The error's text: unchanged in a pipe; on a terminal, long lines are wrapped at words."""
    kind, text = type(refusal.error).__name__, str(refusal.error)
    if not console.is_terminal:
        return f"{kind}: {text}"
    first, *others = text.split("\n")
    wrapped = Table.grid()
    wrapped.add_row(Text.assemble((kind, ERROR), f": {first}"))
    for line in others:
        wrapped.add_row(Padding(line.strip(), (0, 0, 0, 2)))
    return wrapped
