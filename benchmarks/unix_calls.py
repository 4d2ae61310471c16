"""The claim: a call over a Unix-domain socket is within the budget of TCP's."""

from dataclasses import replace

from benchmarks.calls import measure_calls
from benchmarks.claim import Claim, Figure
from benchmarks.effort import Effort
from benchmarks.unix_pairs import governed_ends, raw_ends


def measure(effort: Effort) -> list[Figure]:
    """Sends and receives of 1 byte and of 64 KiB."""
    figures = []
    for size, count, repeats, limit in ((1, 64, 1, 1.15), (65536, 1, 8, 1.05)):
        pairs = {"raw": raw_ends, "lifecycle": governed_ends}
        rounds = effort.rounds(2000)
        found = measure_calls(rounds, size=size, count=count, repeats=repeats, limits=(limit, limit), pairs=pairs)
        figures += [replace(each, name=f"{size} B: {each.name}") for each in found]
    return figures


CLAIM = Claim("unix-calls", "the same over Unix-domain sockets", measure)
