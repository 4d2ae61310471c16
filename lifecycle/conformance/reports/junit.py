"""A run as JUnit XML, one test case per cell, for continuous integration to show."""

from __future__ import annotations

from xml.etree import ElementTree

from lifecycle.conformance.conforming import Conformance
from lifecycle.conformance.model.graph import Cell, case_id
from lifecycle.conformance.reports.clusters import clusters
from lifecycle.conformance.running.divergence import Divergence
from lifecycle.conformance.running.result import RoleResult


def junit_xml(report: Conformance) -> str:
    """The document. A cell that the implementation does not have is skipped; an explained difference passes, and is told."""
    root = ElementTree.Element("testsuites", name=f"conformance of {report.target}", time=f"{report.seconds:.3f}")
    for result in report.roles:
        _suite(root, report, result)
    if report.compared:
        _bare_suite(root, report)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ElementTree.Element, report: Conformance, result: RoleResult) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=f"{report.target}.{result.role}", time=f"{result.seconds:.3f}")
    failed: dict[Cell | None, Divergence] = {}
    explained: dict[Cell | None, Divergence] = {}
    for each in result.divergences:
        (explained if each.explanation else failed).setdefault(each.cell, each)
    missing = set(result.missing)
    counts = {"failures": 0, "skipped": 0}
    for cell in result.cells:
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"{report.target}.{result.role}", name=case_id(result.role, cell)
        )
        if cell in failed or (cell in missing):
            counts["failures"] += 1
            _fail(case, failed.get(cell))
        elif cell not in result.offered:
            counts["skipped"] += 1
            ElementTree.SubElement(case, "skipped", message=f"{report.target} has no such call here")
        elif cell in explained:
            ElementTree.SubElement(case, "system-out").text = f"{explained[cell]}: {explained[cell].explanation}"
    for number, cluster in enumerate(clusters([each for each in result.unexplained if each.cell is None]), 1):
        counts["failures"] += 1
        name = f"{result.role}-{cluster.shortest.call}-{number}"
        _fail(
            ElementTree.SubElement(suite, "testcase", classname=f"{report.target}.{result.role}", name=name), cluster.shortest
        )
    _count(suite, counts["failures"], counts["skipped"])


def _bare_suite(root: ElementTree.Element, report: Conformance) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=f"{report.target}.bare")
    case = ElementTree.SubElement(suite, "testcase", classname=f"{report.target}.bare", name=f"{report.compared} sequences")
    unexplained = [each for each in report.bare if not each.explanation]
    if unexplained:
        _fail(case, min(unexplained, key=lambda each: len(each.steps)))
    _count(suite, bool(unexplained), 0)


def _fail(case: ElementTree.Element, divergence: Divergence | None) -> None:
    message = "never reached" if divergence is None else str(divergence)
    failure = ElementTree.SubElement(case, "failure", message=message)
    failure.text = "" if divergence is None else "\n".join(divergence.steps)


def _count(suite: ElementTree.Element, failures: int, skipped: int) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(int(failures)))
    suite.set("errors", "0")  # whatever an implementation raises is a failure of it
    suite.set("skipped", str(skipped))
