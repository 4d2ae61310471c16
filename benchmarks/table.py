"""The budget table for people, and the same as data."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.claim import Claim, Figure
from benchmarks.interleaved import digits

WIDTH = 180
COLORS = {"within": "green", "missed": "bold red"}
UNITS = {"x": "\N{MULTIPLICATION SIGN}", "us": " µs", "B": " B", "s": " s", "": ""}

Results = Mapping[Claim, Sequence[Figure]]


def show(results: Results, *, quick: bool, note: str) -> None:
    """Print the table on standard output."""
    title = f"Budgets, on Python {platform.python_version()}, {platform.system()}"
    if quick:
        title += ": the short form, whose times are not judged"
    table = Table(title=title, title_justify="left", caption=note, caption_justify="left")
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    for heading in ("claim", "figure", "measured (quartiles)", "limit", "verdict", "against", "where others stand"):
        table.add_column(heading, no_wrap=heading not in ("claim", "figure") and console.width >= WIDTH)
    for claim, figures in results.items():
        for number, figure in enumerate(figures):
            verdict = figure.verdict(quick)
            table.add_row(
                "" if number else claim.words,
                figure.name,
                _measured(figure),
                _limit(figure),
                f"[{COLORS[verdict]}]{verdict}[/]" if verdict in COLORS else verdict,
                figure.baseline,
                "\n".join(f"{name} {_number(value, figure.unit)}" for name, value in figure.others.items()),
                end_section=number == len(figures) - 1,
            )
    console.print(table)


def as_data(results: Results, *, quick: bool) -> list[dict[str, Any]]:
    """One object per figure."""
    return [
        {
            "claim": claim.name,
            "words": claim.words,
            "figure": figure.name,
            "unit": figure.unit,
            **figure.measured._asdict(),
            "limit": figure.limit,
            "at_least": figure.at_least,
            "verdict": figure.verdict(quick),
            "others": dict(figure.others),
            "nanoseconds": dict(figure.nanoseconds),
        }
        for claim, figures in results.items()
        for figure in figures
    ]


def _measured(figure: Figure) -> str:
    median, low, high = (digits(value, 0 if figure.unit in ("B", "") else 4) for value in figure.measured)
    text = f"{median}{UNITS[figure.unit]}"
    return text if low == high else f"{text} ({low} to {high})"


def _limit(figure: Figure) -> str:
    return "" if figure.limit is None else f"{'≥' if figure.at_least else '≤'} {figure.limit:g}{UNITS[figure.unit]}"


def _number(value: float | None, unit: str) -> str:
    return "not installed" if value is None else f"{digits(value, 0 if unit == 'B' else 3)}{UNITS[unit]}"
