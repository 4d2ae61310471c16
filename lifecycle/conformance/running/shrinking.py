"""Shrinks a failing sequence: steps are left out as long as what remains is still a walk of the graph and still fails."""

from __future__ import annotations

from lifecycle.conformance.adapters.protocol import Adapter
from lifecycle.conformance.model.graph import Model
from lifecycle.conformance.running.divergence import Divergence
from lifecycle.conformance.running.run import Run


def shrunk(adapter: Adapter, model: Model, divergence: Divergence) -> Divergence:
    """The shortest part of a failing sequence that fails in the same way, found by leaving out more and more of it."""
    shortest = divergence
    width = len(shortest.steps) // 2
    while width:
        begin = 0
        while begin < len(shortest.steps) - 1:
            steps = shortest.steps[:begin] + shortest.steps[begin + width :]
            found = replayed(adapter, model, steps) if len(steps) < len(shortest.steps) else None
            if found is not None and found.cause == shortest.cause:
                shortest = found
            else:
                begin += width
        width //= 2
    return shortest


def replayed(adapter: Adapter, model: Model, steps: tuple[str, ...]) -> Divergence | None:
    """The first difference along these steps; None where there is none, or where they are no walk of the graph."""
    edges = model.follow(steps)
    if edges is None:
        return None
    with Run(adapter, model) as run:
        return run.follow(edges)
