"""A run in forms that programs read: as data, and as JUnit XML with one test case per cell."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from lifecycle.conformance.campaigns.conform import Conformance
from lifecycle.conformance.driving.results import Cluster, RoleResult, clusters, snippet
from lifecycle.conformance.driving.run import Divergence
from lifecycle.conformance.model.graph import Cell, case_id


def conformance_data(report: Conformance) -> dict[str, Any]:
    """Everything that the run found."""
    return {
        "target": report.target,
        "passes": report.passes,
        "gave_up": report.gave_up,
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
            }
            for each in report.roles
        ],
        "bare_sequences": report.compared,
        "unexplained": [_cluster(report.target, each) for each in clusters(report.unexplained)],
        "explained": [_cluster(report.target, each) for each in clusters(report.divergences) if each.name],
    }


def _cluster(target: str, cluster: Cluster) -> dict[str, Any]:
    first = cluster.shortest
    return {
        "count": cluster.count,
        "explanation": cluster.name,
        "role": first.role,
        "states": list(cluster.states),
        "call": first.call,
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
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


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
