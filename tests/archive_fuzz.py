"""The archive fuzz: mutated archives and random bytes, loaded in both builds, may raise archive errors and nothing else.

    python tests/archive_fuzz.py [--inputs 1000000] [--seed N] [--minutes M] [--processes 2]

Each input is loaded as a Unicode and as an ANSI program, with requests that fit it or with others. An input that reaches a new
error, or new lines of the package, is kept and mutated again. What is demanded of every load: an error is one of the archive
errors, names an offset within the input and what was expected, and leaves the archive broken; it takes less than SLOWEST
seconds; memory stays below MEMORY above what the process had before; no class is made that was not registered.
"""

from __future__ import annotations

import argparse
import multiprocessing
import queue
import sys
import time
from pathlib import Path
from typing import Any

from archive_campaign import Campaign, Figures

MEMORY = 64 << 20  # bytes above the baseline


def limit_memory() -> None:
    """Let this process reserve MEMORY more than it has: what reserves without touching is a MemoryError (Linux only)."""
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)


def process(number: int, seed: int, inputs: int, minutes: float | None, results: Any) -> None:
    """One process of a campaign."""
    campaign = Campaign(seed * 1000 + number)
    limit_memory()
    results.put(campaign.run(inputs, minutes))


def report(figures: Figures) -> str:
    """The figures, as text."""
    lines = [
        f"{figures.inputs:,} inputs, {figures.loads:,} loads in {figures.seconds:.0f} s: "
        f"{figures.inputs / max(figures.seconds, 1e-9):,.0f} inputs/s",
        *(f"  {count:>10,} {name}" for name, count in figures.endings.most_common()),
        f"{len(figures.signatures)} different endings; {len(figures.lines)} lines of the package reached (sampled)",
        f"slowest load {figures.slowest * 1000:.0f} ms; memory: {figures.grown / (1 << 20):.1f} MiB above the baseline "
        f"at most, {figures.heaviest / (1 << 20):.2f} MiB for one load at most (sampled)",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run a campaign; 1 when an input was wrong."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--inputs", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFF)
    options.add_argument("--minutes", type=float)
    options.add_argument("--processes", type=int, default=min(2, multiprocessing.cpu_count()))
    given = options.parse_args()
    print(f"seed {given.seed}, {given.processes} processes", flush=True)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    share = -(-given.inputs // given.processes)
    processes = [
        context.Process(target=process, args=(number, given.seed, share, given.minutes, results))
        for number in range(given.processes)
    ]
    for each in processes:
        each.start()
    figures = Figures()
    left = len(processes)
    while left:
        try:
            figures.add(results.get(timeout=1))
            left -= 1
        except queue.Empty:
            if not all(each.is_alive() or each.exitcode == 0 for each in processes):
                print("a process died: its traceback is above")
                return 1
    for each in processes:
        each.join()
    print(report(figures))
    if figures.wrong:
        print(f"WRONG: {figures.wrong}")
    if figures.grown > MEMORY:
        print("WRONG: too much memory")
    return int(bool(figures.wrong) or figures.grown > MEMORY)


if __name__ == "__main__":
    sys.exit(main())
