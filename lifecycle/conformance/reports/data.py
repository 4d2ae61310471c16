"""A run as data that a program in any language can use."""

from __future__ import annotations

from typing import Any

from lifecycle.conformance.conforming import Conformance
from lifecycle.conformance.replaying import snippet
from lifecycle.conformance.reports.clusters import Cluster, clusters
from lifecycle.conformance.running.result import RoleResult, Tally


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
        "roles": [_role(each) for each in report.roles],
        "bare_sequences": report.compared,
        "unexplained": [_cluster(report.target, each) for each in clusters(report.unexplained)],
        "explained": [_cluster(report.target, each) for each in clusters(report.divergences) if each.name],
    }


def _role(result: RoleResult) -> dict[str, Any]:
    return {
        "role": result.role,
        "legal": _tally(result.legal),
        "illegal": _tally(result.illegal),
        "sequences": result.sequences,
        "steps": result.steps,
        "missing": [".".join(cell) for cell in result.missing],
    }


def _tally(tally: Tally) -> dict[str, int]:
    return tally._asdict()


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
