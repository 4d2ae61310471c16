"""The claim: a state-preserving call of 64 KiB costs at most 1.05 times the raw call."""

from benchmarks.calls import measure_calls
from benchmarks.claim import Claim, Figure
from benchmarks.effort import Effort

SIZE = 65536


def measure(effort: Effort) -> list[Figure]:
    """One send of 64 KiB, then one receive, several times a round."""
    return measure_calls(effort.rounds(2000), size=SIZE, count=1, repeats=8, limits=(1.05, 1.05))


CLAIM = Claim("large-calls", "the same, 64 KiB", measure)
