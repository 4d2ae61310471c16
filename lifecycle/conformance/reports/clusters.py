"""Clusters: failing sequences with one cause are one line, told by the shortest of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lifecycle.conformance.running.divergence import Divergence


@dataclass(frozen=True, slots=True)
class Cluster:
    """All sequences whose first difference is the same: the same call, expected and got the same.

    name: the explanation, or "" where there is none. shortest: the shortest of the sequences.
    """

    name: str
    count: int
    states: tuple[str, ...]
    shortest: Divergence


def clusters(divergences: Iterable[Divergence]) -> list[Cluster]:
    """The clusters, those with most sequences first. Differences that are explained alike are one cluster."""
    groups: dict[object, list[Divergence]] = {}
    for each in divergences:
        key = (each.role, each.explanation) if each.explanation else each.cause
        groups.setdefault(key, []).append(each)
    found = [
        Cluster(
            group[0].explanation,
            len(group),
            tuple(sorted({each.state for each in group})),
            min(group, key=lambda each: len(each.steps)),
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda cluster: -cluster.count)
