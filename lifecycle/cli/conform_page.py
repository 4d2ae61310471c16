"""A conformance run as text: coverage by role, the findings, one line per cause, and the shortest as a program."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lifecycle.conformance.campaigns.conform import Conformance
from lifecycle.conformance.campaigns.mutation import OF_IMPLEMENTATIONS, Score
from lifecycle.conformance.driving.results import Cluster, RoleResult, Tally, clusters, snippet
from lifecycle.conformance.driving.run import Divergence
from lifecycle.conformance.model.graph import Cell, case_id
from lifecycle.conformance.reports import every_left_out

HEADING, GOOD, BAD, LEFT_OUT = "bold", "green", "red", "yellow"
MOST_CLUSTERS = MOST_CELLS = 12
HEADING_WIDTH = 10  # of a column of mutants, so that all fit into 80


def conformance_page(report: Conformance, *, with_explained: bool) -> Iterator[RenderableType]:
    """The parts of the page, to be printed one after the other."""
    yield Text(f"{report.target}: cells reached / cells reachable", HEADING)
    yield _coverage(report.roles)
    yield f"  {covered(report)}"
    yield from _left_out(report)
    unexplained, explained = clusters(report.unexplained), [each for each in clusters(report.divergences) if each.name]
    yield from _explained(explained, with_explained)
    if report.compared:
        yield f"bare calls: {report.compared} sequences compared with the standard library's, {len(report.bare)} differences"
    for role, cells in report.missing.items():
        yield Text(f"never reached: {_named(role, cells)}", BAD)
    if report.gave_up:
        yield Text("given up: too many steps hang, so the rest was not tried", BAD)
    if report.stopped:
        yield Text(f"partial: {report.stopped}, and the rest was not tried", LEFT_OUT)
    yield from _findings(report, unexplained)
    count = sum(each.count for each in unexplained)
    verdict = (
        "nothing unexplained"
        if report.passes
        else f"{count} {'sequence differs' if count == 1 else 'sequences differ'}, unexplained"
        if count
        else "not everything was reached"
    )
    yield ""
    yield Text(f"{'passes' if report.passes else 'FAILS'}: {verdict}, {report.seconds:.1f} s", GOOD if report.passes else BAD)


def _coverage(results: Iterable[RoleResult]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    titles = ("", "outcomes", "refusals", "explained", "not offered", "sequences", "steps")
    for number, _ in enumerate(titles):
        table.add_column(justify="left" if number == 0 else "right", no_wrap=True)
    table.add_row(*titles)
    for result in results:
        legal, illegal = result.legal, result.illegal
        table.add_row(
            result.role,
            _of(legal),
            _of(illegal),
            str(legal.explained + illegal.explained),
            str(len(result.cells) - legal.offered - illegal.offered),
            f"{result.sequences:,}",
            f"{result.steps:,}",
        )
    return Padding(table, (0, 0, 0, 2), expand=False)


def covered(report: Conformance) -> str:
    """The number of cells that were reached or are explained, of those that the implementation has, in words."""
    tallies = [tally for result in report.roles for tally in (result.legal, result.illegal)]
    found = sum(tally.reached + tally.explained for tally in tallies)
    offered = sum(tally.offered for tally in tallies) + sum(map(len, report.unprovoked.values()))
    data = [good for result in report.roles for good in result.data.values()]
    cells = f"{found:,} of {offered:,} cells covered ({found / max(offered, 1):.1%})"
    return f"{cells}, {sum(data)} of {len(data)} data cells" if data else cells


def _left_out(report: Conformance) -> Iterator[RenderableType]:
    """The cells that were not tried: those that the implementation cannot do, and those that nothing provokes."""
    reasons: dict[str, dict[str, None]] = {}
    for each in every_left_out(report):
        reasons.setdefault(each.why, {})[each.what] = None
    for why, what in reasons.items():
        yield Text(f"  left out: {', '.join(what)} ({why})", LEFT_OUT)
    for name in report.unseen:
        yield Text(f"  known, and not seen in this run: {name}", LEFT_OUT)
    for role, cells in report.unprovoked.items():
        yield Text(f"  not provoked: {_named(role, cells)}", BAD)


def _named(role: str, cells: list[Cell]) -> str:
    more = f", and {len(cells) - MOST_CELLS} more" if len(cells) > MOST_CELLS else ""
    return f"{', '.join(case_id(role, cell) for cell in cells[:MOST_CELLS])}{more}"


def _of(tally: Tally) -> Text:
    share = 1.0 if not tally.offered else (tally.reached + tally.explained) / tally.offered
    return Text(f"{tally.reached}/{tally.offered}", GOOD if share == 1 else BAD)


def _explained(found: list[Cluster], listed: bool) -> Iterator[RenderableType]:
    if not found:
        return
    groups: dict[str, list[Cluster]] = {}
    for each in found:
        groups.setdefault(each.name.partition(":")[0], []).append(each)
    yield ""
    for system, group in groups.items():
        lines = Counter[str]()
        for each in group:
            lines[each.name] += each.count
        is_platform = " = " in group[0].name
        what = f"lines of the table of {system}" if is_platform else "known differences"
        yield f"explained by {what}, {len(lines)} of them: {lines.total()} sequences"
        if listed or not is_platform:
            yield from (f"  {count:6} x {name}" for name, count in sorted(lines.items()))


def _findings(report: Conformance, found: list[Cluster]) -> Iterator[RenderableType]:
    for each in found[:MOST_CLUSTERS]:
        first = each.shortest
        states = ", ".join(state for state in each.states if state)
        yield ""
        yield Text.assemble(
            (
                f"{each.count} x {', '.join(each.roles)}{f'[{states}]' if states else ''} {', '.join(each.calls)}",
                f"{HEADING} {BAD}",
            ),
            f"\n  expected {first.expected}\n  got      {first.got}\n  first of them: {', '.join(first.steps)}",
            again(report, each),
        )
    if len(found) > MOST_CLUSTERS:
        yield f"... and {len(found) - MOST_CLUSTERS} more causes (--json has them all)"
    if found:
        shortest = min((each.shortest for each in found), key=partial(_rank, report))
        yield ""
        yield Text("The shortest of all, as a program:", HEADING)
        yield ""
        yield snippet(report.target, shortest).rstrip()


def again(report: Conformance, cluster: Cluster) -> str:
    """How often it repeats on a fresh instance, if not each time; and the sequences needed before it."""
    repeats = report.repeats.get(cluster.shortest.line)
    if repeats is None or not (repeats.is_flaky or repeats.needs):
        return ""
    before = "".join(f"\n    before it, on the same instance: {' > '.join(each)}" for each in repeats.needs[:MOST_CLUSTERS])
    return f"\n  {repeats}{before}"


def _rank(report: Conformance, divergence: Divergence) -> tuple[bool, int]:
    """Sort key: sequences that repeat first, then the shortest."""
    repeats = report.repeats.get(divergence.line)
    return repeats is not None and (repeats.is_flaky or bool(repeats.needs)), len(divergence.steps)


def mutants_page(scores: list[Score]) -> Iterator[RenderableType]:
    """The score of each role by breakage, and the survivors."""
    yield Text("mutants caught, and of how many where some survived", HEADING)
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    for _ in range(len(OF_IMPLEMENTATIONS) + 2):
        table.add_column(justify="right", no_wrap=True)
    table.add_row("", *(textwrap.fill(breakage.value, HEADING_WIDTH) for breakage in OF_IMPLEMENTATIONS), "all", "seconds")
    for each in scores:
        survived = Counter(mutant.breakage for mutant in each.survivors)
        cells = [_caught(each.caught[breakage], survived[breakage]) for breakage in OF_IMPLEMENTATIONS]
        table.add_row(each.role, *cells, _caught(each.caught.total(), survived.total()), f"{each.seconds:.1f}")
    yield table
    for each in scores:
        yield from (Text(f"SURVIVED {mutant}", BAD) for mutant in each.survivors)
    caught, total = sum(each.caught.total() for each in scores), sum(each.total for each in scores)
    seconds = sum(each.seconds for each in scores)
    yield Text(
        f"{caught} of {total} mutants caught ({caught / max(total, 1):.1%}) in {seconds:.1f} s",
        GOOD if caught == total else BAD,
    )


def _caught(count: int, survived: int) -> Text:
    return Text(f"{count:,}/{count + survived:,}", BAD) if survived else Text(f"{count:,}", GOOD)


def mutants_data(scores: list[Score]) -> list[dict[str, Any]]:
    """The same as data."""
    return [
        {
            "role": each.role,
            "total": each.total,
            "caught": {breakage.value: count for breakage, count in each.caught.items()},
            "survivors": [str(mutant) for mutant in each.survivors],
            "seconds": round(each.seconds, 3),
        }
        for each in scores
    ]
