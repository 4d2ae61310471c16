"""The answers of systems and of MFC's release build to the calls that a role refuses, with the evidence for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lifecycle.engine import Role
from lifecycle.system.matrices import Cell, Mark
from lifecycle.system.platform_answers import SYSTEMS, platform_cells

HEADINGS = {"winsock": "Winsock", "linux": "Linux", "mfc": "MFC", "macos": "macOS", "freebsd": "FreeBSD"}


def platform_page(role: Role) -> Iterator[RenderableType]:
    """A table for each state: the refused calls, and each system's answer with its mark."""
    yield ""
    yield Text(f"Answers of systems to the calls that {role.name} refuses", "bold")
    for state in role.table:
        rows = [(call, platform_cells(role.name, state, call)) for call in role.illegal(state)]
        known = [(call, cells) for call, cells in rows if any(cell.mark is not Mark.UNKNOWN for cell in cells.values())]
        if not known:
            continue
        yield ""
        yield Text.assemble("In state ", (state, "bold cyan"))
        table = Table(box=None, padding=(0, 2), pad_edge=False)
        for heading in ("", *(HEADINGS[system] for system in SYSTEMS)):
            table.add_column(heading)
        for call, cells in known:
            table.add_row(call, *(_text(cells[system]) for system in SYSTEMS))
        yield table


def platform_data(role: Role) -> dict[str, Any]:
    """State -> refused call -> system -> its answer, mark, source and note."""
    return {
        state: {
            call: {system: _data(cell) for system, cell in platform_cells(role.name, state, call).items()}
            for call in role.illegal(state)
        }
        for state in role.table
    }


def _text(cell: Cell) -> str:
    if cell.mark is Mark.UNKNOWN:
        return str(cell.mark.value)
    answer = f"{cell.answer}: {cell.note}" if cell.note else cell.answer
    return f"{answer} ({cell.mark.value})"


def _data(cell: Cell) -> dict[str, str | None]:
    known = cell.mark is not Mark.UNKNOWN
    return {
        "answer": cell.answer if known else None,
        "mark": cell.mark.value,
        "source": cell.source if known else None,
        "note": cell.note or None,
    }
