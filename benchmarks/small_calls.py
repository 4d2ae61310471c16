"""The claim: a state-preserving call of one byte costs at most 1.15 times the raw call."""

from benchmarks.calls import measure_calls
from benchmarks.claim import Claim, Figure
from benchmarks.effort import Effort


def measure(effort: Effort) -> list[Figure]:
    """64 sends of one byte, then 64 receives."""
    return measure_calls(effort.rounds(2000), size=1, count=64, repeats=1, limits=(1.15, 1.15))


CLAIM = Claim("small-calls", "state-preserving call, TCP loopback, 1 byte", measure)
