"""The formats of a run besides text: JSON data, JUnit XML with one test case per cell, annotations for GitHub, HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from xml.etree import ElementTree

from lifecycle.conformance.adapters.abilities import LeftOut
from lifecycle.conformance.campaigns.conform import Conformance
from lifecycle.conformance.driving.results import Cluster, RoleResult, Tally, clusters, snippet
from lifecycle.conformance.driving.run import Divergence
from lifecycle.conformance.driving.watchdog import OVER
from lifecycle.conformance.model.environments import ENVIRONMENTS
from lifecycle.conformance.model.graph import Cell, Model, case_id
from lifecycle.diagrams import explorer_page
from lifecycle.engine import Record
from lifecycle.roles import ROLES
from lifecycle.system.output import annotation_text, printable_lines

VERSION = 1
"""the version of the data; docs/conformance.md describes it"""

MOST_CAUSES = 500
"""On a page"""


def conformance_data(report: Conformance) -> dict[str, Any]:
    """The whole result of a run, as data."""
    return {
        "version": VERSION,
        "target": report.target,
        "passes": report.passes,
        "gave_up": report.gave_up,
        "stopped": report.stopped,
        "depth": report.depth,
        "walks": report.walks,
        "seed": report.seed,
        "seconds": round(report.seconds, 3),
        "roles": [
            {
                "role": each.role,
                "legal": each.legal._asdict(),
                "illegal": each.illegal._asdict(),
                "sequences": each.sequences,
                "steps": each.steps,
                "missing": [".".join(cell) for cell in each.missing],
                "data": each.data,
            }
            for each in report.roles
        ],
        "left_out": [{"what": each.what, "why": each.why, "role": each.role} for each in every_left_out(report)],
        "unseen": report.unseen,
        "unprovoked": [case_id(role, cell) for role, cells in report.unprovoked.items() for cell in cells],
        "bare_sequences": report.compared,
        "unexplained": [_cluster(report, each) for each in clusters(report.unexplained)],
        "explained": [_cluster(report, each) for each in clusters(report.divergences) if each.name],
    }


def every_left_out(report: Conformance) -> list[LeftOut]:
    """The parts that were not tried, of all roles, each once."""
    return list(dict.fromkeys((*report.left_out, *(each for role in report.roles for each in role.left_out))))


def not_whole(report: Conformance) -> Iterator[str]:
    """The reasons why a run without differences fails: parts that were not tried, or not reached."""
    if report.gave_up:
        yield "given up: too many steps hang, so the rest was not tried"
    if report.stopped and report.stopped != OVER:
        yield f"partial: {report.stopped}, and the rest was not tried"
    elif not report.stopped:
        yield from (
            f"never reached: {', '.join(case_id(role, cell) for cell in cells)}" for role, cells in report.missing.items()
        )


def github_annotations(report: Conformance) -> Iterator[str]:
    """One line for each cause, in the form that GitHub's runners turn into annotations, and for each reason of not_whole()."""
    title = annotation_text(report.target, is_property=True)
    for each in clusters(report.unexplained):
        first = each.shortest
        text = f"{first}\nfirst of {each.count}: {', '.join(first.steps)}"
        yield f"::error title={title}::{annotation_text(text)}"
    yield from (f"::error title={title}::{annotation_text(each)}" for each in not_whole(report))


def html_page(report: Conformance, about: str = "") -> str:
    """The HTML page of a run: coverage, the parts that were left out, and for each cause the steps that show it and a program.

    about: a line above these.
    """
    found = clusters(report.unexplained)
    lines = [about] if about else []
    for each in report.roles:
        data = f", {sum(each.data.values())} of {len(each.data)} data cells" if each.data else ""
        lines.append(f"{each.role}: {_tally(each.legal)} outcomes, {_tally(each.illegal)} refusals{data}")
    lines.append(f"Causes: {len(found)}" if found else "Nothing is unexplained.")
    if len(found) > MOST_CAUSES:
        lines.append(f"Shown are {MOST_CAUSES} of them; --json and --junit have all.")
    lines += [f"Left out: {each}" for each in every_left_out(report)]
    model = cache(lambda name: Model(ROLES[name], ENVIRONMENTS[name]))
    records = [
        record
        for number, each in enumerate(found[:MOST_CAUSES], 1)
        for record in _records(each.shortest, number, model if each.shortest.role in ENVIRONMENTS else None)
    ]
    used = {record.role for record in records}
    return explorer_page(
        (role for role in ROLES.values() if not used or role.name in used),
        records,
        title=f"{report.target}: {'passes' if report.passes else 'fails'}",
        findings=[_finding(report, each, number) for number, each in enumerate(found[:MOST_CAUSES], 1)],
        about="\n".join(lines),
    )


def _tally(tally: Tally) -> str:
    return f"{tally.reached} of {tally.offered}"


def _records(first: Divergence, number: int, model: Callable[[str], Model] | None) -> Iterator[Record]:
    """The steps that show a cause, as calls of one object; the last one differs."""
    edges = (model(first.role).follow(first.steps) if model else None) or (None,) * len(first.steps)
    for place, (label, edge) in enumerate(zip(first.steps, edges, strict=True), 1):
        state, after = (edge.source.state, edge.target.state) if edge else (first.state, first.state)
        call, _, arguments = label.partition(" ")
        differs = place == len(first.steps)
        yield Record(
            first.role, f"Cause#{number}", state, call, "", first.adapter, place, arguments,
            began=number + place / 1000, ended=number + place / 1000,
            outcome="differs" if differs else (edge.outcome if edge else None) or "ok", next_state=state if differs else after,
            error=f"Expected {first.expected}, got {first.got}" if differs else "",
        )  # fmt: skip


def _finding(report: Conformance, cluster: Cluster, number: int) -> dict[str, Any]:
    """A cause as a finding of the page, at its last step."""
    first = cluster.shortest
    repeats = report.repeats.get(first.line)
    note = f"; {repeats}" if repeats is not None else ""
    text = f"{first}{note}\n{snippet(report.target, first)}"
    place = {"file": first.adapter, "line": len(first.steps)}
    return {
        "socket": f"Cause#{number}",
        "call": first.steps[-1].partition(" ")[0],
        "text": text,
        "count": cluster.count,
        **place,
    }


def _cluster(report: Conformance, cluster: Cluster) -> dict[str, Any]:
    first, target = cluster.shortest, report.target
    repeats = report.repeats.get(first.line)
    return {
        "count": cluster.count,
        "explanation": cluster.name,
        "role": first.role,
        "roles": list(cluster.roles),
        "repeats": None if repeats is None else {"times": repeats.times, "tries": repeats.tries, "needs": repeats.needs},
        "local": first.local,
        "states": list(cluster.states),
        "call": first.call,
        "calls": list(cluster.calls),
        "expected": first.expected,
        "got": first.got,
        "steps": list(first.steps),
        "snippet": snippet(target, first),
    }


def junit_xml(report: Conformance) -> str:
    """The document. A cell that the implementation does not have is skipped; an explained difference passes, with a note."""
    root = ElementTree.Element("testsuites", name=f"conformance of {report.target}", time=f"{report.seconds:.3f}")
    for result in report.roles:
        _add_role(root, report, result)
    if report.compared:
        suite = ElementTree.SubElement(root, "testsuite", name=f"{report.target}.bare")
        case = _case(suite, f"{report.compared} sequences")
        unexplained = [each for each in report.bare if not each.explanation]
        if unexplained:
            _fail(case, min(unexplained, key=lambda each: len(each.steps)))
    stopped = "" if report.stopped == OVER else report.stopped
    peers = [each for each in report.peers if not each.explanation]
    if peers or report.gave_up or stopped:
        suite = ElementTree.SubElement(root, "testsuite", name=f"{report.target}.run")
        for each in peers:
            _fail(_case(suite, each.steps[-1]), each)
        if report.gave_up or stopped:
            _fail(_case(suite, "everything was tried"), None, "; ".join(not_whole(report)))
    for suite in root:
        cases = suite.findall("testcase")
        suite.set("tests", str(len(cases)))
        suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
        suite.set("errors", "0")  # any error of an implementation is a failure of it
        suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    return printable_lines(ElementTree.tostring(root, encoding="unicode") + "\n")


def _add_role(root: ElementTree.Element, report: Conformance, result: RoleResult) -> None:
    name = f"{report.target}.{result.role}"
    suite = ElementTree.SubElement(root, "testsuite", name=name, time=f"{result.seconds:.3f}")
    failed: dict[Cell | None, Divergence] = {}
    explained: dict[Cell | None, Divergence] = {}
    for each in result.divergences:
        (explained if each.explanation else failed).setdefault(each.cell, each)
    missing = set(result.missing)
    for cell in result.cells:
        case = _case(suite, case_id(result.role, cell))
        if cell in missing and cell not in failed and report.stopped == OVER:
            ElementTree.SubElement(case, "skipped", message=OVER)
        elif cell in failed or cell in missing:
            _fail(case, failed.get(cell))
        elif cell not in result.offered:
            ElementTree.SubElement(case, "skipped", message=f"{report.target} has no such call here")
        elif cell in explained:
            ElementTree.SubElement(case, "system-out").text = f"{explained[cell]}: {explained[cell].explanation}"
    for number, cluster in enumerate(clusters([each for each in result.unexplained if each.cell is None]), 1):
        _fail(_case(suite, f"{result.role}-{cluster.shortest.call}-{number}"), cluster.shortest)


def _case(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=str(suite.get("name")), name=name)


def _fail(case: ElementTree.Element, divergence: Divergence | None, otherwise: str = "never reached") -> None:
    message = otherwise if divergence is None else str(divergence)
    failure = ElementTree.SubElement(case, "failure", message=message)
    failure.text = "" if divergence is None else "\n".join(divergence.steps)
