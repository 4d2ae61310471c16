"""`python -m benchmarks`: measures every claim of the budget table, or those that are named, and prints the table."""

from __future__ import annotations

import argparse
import json
import os

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import (
    aio_connections,
    aio_echo,
    archives,
    change_of_state,
    checked_calls,
    conformance,
    connection,
    exhaustive_check,
    importing,
    large_calls,
    memory,
    refusal,
    small_calls,
    tls,
    tls_memory,
    unix_calls,
    unix_echo,
)
from benchmarks.effort import Effort
from benchmarks.table import as_data, show
from lifecycle.engine import set_default_engine

CLAIMS = {
    file.CLAIM.name: file.CLAIM
    for file in (
        small_calls,
        large_calls,
        unix_calls,
        connection,
        change_of_state,
        memory,
        refusal,
        importing,
        exhaustive_check,
        archives,
        checked_calls,
        aio_echo,
        unix_echo,
        aio_connections,
        tls,
        tls_memory,
        conformance,
    )
}

EXAMPLES = """\
examples:
  python -m benchmarks                      the whole table, in a few minutes
  python -m benchmarks small-calls refusal  two of its rows
  python -m benchmarks --quick              every row runs, in seconds; no time is judged
  python -m benchmarks --json > budgets.json

Exits with 0 when every limit that was judged is kept, 1 when one is missed, 2 for wrong usage.
"""


def main() -> int:
    """Measure and print; the exit code."""
    parser = _parser()
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in CLAIMS]
    if unknown:
        parser.error(f"no claim is named {', '.join(unknown)}; there are {', '.join(CLAIMS)}")
    set_default_engine("compiled")
    names = options.names or list(CLAIMS)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    screen = Console(stderr=True)
    results = {}
    load = _load_average()
    with Progress(*columns, console=screen, disable=not screen.is_terminal, auto_refresh=False, transient=True) as progress:
        for name in names:
            task = progress.add_task(name)
            results[CLAIMS[name]] = CLAIMS[name].measure(Effort(progress, task, quick=options.quick))
            progress.remove_task(task)
    if options.json:
        print(json.dumps(as_data(results, quick=options.quick), indent=2))
    else:
        show(results, quick=options.quick, note=_load(load))
    missed = any(figure.verdict(options.quick) == "missed" for figures in results.values() for figure in figures)
    return int(missed)


def _load_average() -> float | None:
    """How many processes want to run, over the last minute; None where the system does not report it."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _load(before: float | None) -> str:
    after = _load_average()
    return "" if before is None or after is None else f"load average {before:.1f} before, {after:.1f} after"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure the budgets of the design, each side by side with raw sockets and other libraries in one run.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(CLAIMS)}")
    parser.add_argument("--json", action="store_true", help="print data instead of a table, one object per figure")
    parser.add_argument("--quick", action="store_true", help="only run every row; no time is judged")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
