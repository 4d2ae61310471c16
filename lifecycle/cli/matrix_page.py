"""A measured matrix as text or data: all cells, or differences."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from lifecycle.conformance.campaigns.compare_platforms import Comparison
from lifecycle.conformance.campaigns.measure import Measured

HEADING, GOOD, BAD = "bold", "green", "red"
WIDTH = 100


def matrix_page(measured: Measured) -> Iterator[RenderableType]:
    """Each call with its answers and their states; a kind with the answers of another one is only named."""
    pages: dict[tuple[Any, ...], str] = {}
    for family, kind in dict.fromkeys((family, kind) for family, kind, _, _ in measured):
        cells = {(state, call): result for (f, k, state, call), result in measured.items() if (f, k) == (family, kind)}
        states, calls = dict.fromkeys(state for state, _ in cells), dict.fromkeys(call for _, call in cells)
        yield Text(f"{family} {kind}: {len(states)} states, {len(calls)} calls", HEADING)
        same_as = pages.setdefault(tuple(cells.items()), f"{family} {kind}")
        if same_as != f"{family} {kind}":
            yield f"  answers as {same_as} in every cell"
            continue
        for call in calls:
            yield f"  {call}"
            yield from _by_answer((cells[state, call], state) for state in states)
        yield ""


def _by_answer(cells: Iterable[tuple[str, str]]) -> Iterator[str]:
    answers: dict[str, list[str]] = {}
    for result, state in cells:
        answers.setdefault(result, []).append(state)
    for result, states in answers.items():
        yield textwrap.fill(" ".join(states), WIDTH, initial_indent=f"    {result:18} ", subsequent_indent=" " * 23)


def matrix_data(measured: Measured) -> list[dict[str, str]]:
    """The cells, as in the shipped tables."""
    return [
        {"family": family, "kind": kind, "state": state, "call": call, "result": result}
        for (family, kind, state, call), result in measured.items()
    ]


def comparison_page(comparison: Comparison) -> Iterator[RenderableType]:
    """The differences by their explanations, and the calls that this system accepts although the contract forbids them."""
    total, unexplained = len(comparison.differences), comparison.unexplained
    yield Text(f"{comparison.cells} cells measured; {total} differ from the table of {comparison.platform}", HEADING)
    for explanation in dict.fromkeys(each.explanation for each in comparison.differences if each.explanation):
        group = [each for each in comparison.differences if each.explanation == explanation]
        yield f"explained, {len(group)}: {explanation}"
        yield from (f"  {' '.join(filter(None, each.cell)):46} {each.shipped} here {each.measured}" for each in group)
    for each in unexplained:
        yield Text(f"UNEXPLAINED {' '.join(each.cell)}: {each.shipped}, here {each.measured}", BAD)
    if comparison.collected:
        yield ""
        count = len(comparison.collected)
        yield f"{count} cells report the result of an earlier connect() that was not collected, as the table does."
        yield "On a connection whose connect() has returned its result the answer differs:"
        yield from _collected(comparison)
    yield ""
    yield Text(f"this system accepts {len(comparison.accepted)} calls that the contract forbids", HEADING)
    for accepted in comparison.accepted:
        yield f"  {f'{accepted.role}[{accepted.state}] {accepted.call}':38} {accepted.answer:18} {accepted.reason}"
    yield ""
    yield Text(
        f"{'FAILS' if unexplained else 'passes'}: {len(unexplained)} differences unexplained", BAD if unexplained else GOOD
    )


def _collected(comparison: Comparison) -> Iterator[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for each in comparison.collected:
        groups.setdefault((each.first, each.once_collected), []).append(each.cell[2])
    sockets = dict.fromkeys(f"{family} {kind}" for family, kind, _, _ in (each.cell for each in comparison.collected))
    calls = dict.fromkeys(each.cell[3] for each in comparison.collected)
    yield f"  of {', '.join(sockets)}; {' and '.join(calls)}:"
    for (first, once), states in groups.items():
        answers = f"  {f'{first}, then {once}':26} "
        yield textwrap.fill(" ".join(dict.fromkeys(states)), WIDTH, initial_indent=answers, subsequent_indent=" " * 29)


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """The same as data."""
    return {
        "platform": comparison.platform,
        "cells": comparison.cells,
        "differences": [
            {"cell": list(each.cell), "shipped": each.shipped, "measured": each.measured, "explanation": each.explanation}
            for each in comparison.differences
        ],
        "collected": [
            {"cell": each.cell, "told": each.first, "once_collected": each.once_collected} for each in comparison.collected
        ],
        "accepted": [each._asdict() for each in comparison.accepted],
    }
