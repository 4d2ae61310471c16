"""Sequence charts of recorded runs: a journal becomes lanes and rows, which each format's renderer draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lifecycle.diagrams.formats import unknown_format
from lifecycle.diagrams.sequence.chart import FOLD, Chart, chart_of
from lifecycle.diagrams.sequence.mermaid import sequence_mermaid
from lifecycle.diagrams.sequence.svg import sequence_svg
from lifecycle.diagrams.sequence.text import sequence_text
from lifecycle.engine import Record, Role
from lifecycle.roles import ROLES

CHART_FORMATS: Mapping[str, Callable[[Chart], str]] = {
    "text": sequence_text,
    "mermaid": sequence_mermaid,
    "svg": sequence_svg,
}
"""format -> renderer"""


def sequence_chart(
    records: Iterable[Record],
    format: str = "text",
    *,
    fold: int = FOLD,
    width: int = 80,
    roles: Mapping[str, Role] = ROLES,
) -> str:
    """The chart of a recorded run: a lane for each object, its calls in order of time, the states they led to.

    records: `journal.records`, or the result of read_records(). format: one of CHART_FORMATS. fold: calls that keep the state
    are folded into one step when one is repeated at least that often; 0 folds nothing. width: columns of the text format.
    roles: name -> role, for the meaning of outcomes and for calls that fire others; add your own to ROLES.

    Raises UnknownFormat.

    >>> from lifecycle import Journal, Server
    >>> with Journal() as journal, Server() as server:
    ...     server.create(0, "127.0.0.1")
    >>> sequence_chart(journal.records, "mermaid").splitlines()[:2]
    ['sequenceDiagram', '    participant L0 as Server#35;1']
    """
    if format not in CHART_FORMATS:
        raise unknown_format(format, CHART_FORMATS)
    chart = chart_of(records, fold=fold, roles=roles)
    return sequence_text(chart, width=width) if format == "text" else CHART_FORMATS[format](chart)


__all__ = ["CHART_FORMATS", "FOLD", "Chart", "chart_of", "sequence_chart"]
