"""A run in other forms than text: data, JUnit XML with one test case per cell, annotations for GitHub, a page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any
from xml.etree import ElementTree

from lifecycle.conformance.adapters.abilities import LeftOut
from lifecycle.conformance.campaigns.conform import Conformance
from lifecycle.conformance.driving.results import Cluster, RoleResult, clusters, snippet
from lifecycle.conformance.driving.run import Divergence
from lifecycle.conformance.model.graph import Cell, case_id
from lifecycle.system.output import annotation_text, printable_lines

VERSION = 1
"""of the data; docs/conformance.md describes it"""

MOST_CAUSES = 500
"""On a page"""

STYLE = "body{font:16px sans-serif;max-width:60em;margin:2em auto}td,th{padding:.2em 1em;text-align:left}"


def conformance_data(report: Conformance) -> dict[str, Any]:
    """Everything that the run found."""
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
    """What was not tried, in all roles, each once."""
    return list(dict.fromkeys((*report.left_out, *(each for role in report.roles for each in role.left_out))))


def github_annotations(report: Conformance) -> Iterator[str]:
    """One line a cause, as GitHub's runners turn them into annotations."""
    for each in clusters(report.unexplained):
        first = each.shortest
        text = f"{first}\nfirst of {each.count}: {', '.join(first.steps)}"
        yield f"::error title={annotation_text(report.target, is_property=True)}::{annotation_text(text)}"


def html_page(report: Conformance) -> str:
    """One page that needs nothing else: the verdict, coverage, each cause with its program, and what was left out."""
    title = f"{escape(report.target)}: {'passes' if report.passes else 'fails'}"
    rows = "".join(
        f"<tr><th>{escape(each.role)}<td>{each.legal.reached}/{each.legal.offered}"
        f"<td>{each.illegal.reached}/{each.illegal.offered}<td>{sum(each.data.values())}/{len(each.data)}"
        for each in report.roles
    )
    found = clusters(report.unexplained)
    causes = "".join(_cause(report, each) for each in found[:MOST_CAUSES]) or "<p>Nothing is unexplained."
    if len(found) > MOST_CAUSES:
        causes += f"<p>And {len(found) - MOST_CAUSES:,} more causes, which --json and --junit have.</p>\n"
    left_out = "".join(f"<li>{escape(str(each))}" for each in every_left_out(report))
    parts = (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>',
        f"<style>{STYLE}</style>\n<h1>{title}</h1>",
        f"<table><tr><th>role<th>outcomes<th>refusals<th>data cells{rows}</table>",
        f"<h2>Differences</h2>\n{causes}",
        f"<h2>Left out</h2>\n<ul>{left_out}</ul>\n</html>\n",
    )
    return printable_lines("\n".join(parts))


def _cause(report: Conformance, cluster: Cluster) -> str:
    first = cluster.shortest
    repeats = report.repeats.get(first.line)
    note = f" ({escape(str(repeats))})" if repeats is not None else ""
    program = escape(snippet(report.target, first))
    return f"<details><summary>{cluster.count} &times; {escape(str(first))}{note}</summary><pre>{program}</pre></details>\n"


def _cluster(report: Conformance, cluster: Cluster) -> dict[str, Any]:
    first, target = cluster.shortest, report.target
    repeats = report.repeats.get(first.line)
    return {
        "count": cluster.count,
        "explanation": cluster.name,
        "role": first.role,
        "roles": list(cluster.roles),
        "repeats": None if repeats is None else {"times": repeats.times, "tries": repeats.tries, "needs": repeats.needs},
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
        if cell in failed or cell in missing:
            _fail(case, failed.get(cell))
        elif cell not in result.offered:
            ElementTree.SubElement(case, "skipped", message=f"{report.target} has no such call here")
        elif cell in explained:
            ElementTree.SubElement(case, "system-out").text = f"{explained[cell]}: {explained[cell].explanation}"
    for number, cluster in enumerate(clusters([each for each in result.unexplained if each.cell is None]), 1):
        _fail(_case(suite, f"{result.role}-{cluster.shortest.call}-{number}"), cluster.shortest)


def _case(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=str(suite.get("name")), name=name)


def _fail(case: ElementTree.Element, divergence: Divergence | None) -> None:
    message = "never reached" if divergence is None else str(divergence)
    failure = ElementTree.SubElement(case, "failure", message=message)
    failure.text = "" if divergence is None else "\n".join(divergence.steps)
