"""`python -m tests.oracle`: lifecycle.archive and the sockets, compared with Microsoft's own MFC under Wine."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from .agent import Agent
from .checks import Report, archive_checks
from .exchange import check_exchange
from .golden import write_golden
from .runtimes import COMPILERS, RUNTIMES, Runtime, prepare
from .socket_states import check_socket_states
from .wine import Wine, missing_programs

SHOWN = 20  # unexplained differences printed of each check


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--short", action="store_true", help="about a minute for all runtimes, as CI does it")
    parser.add_argument("--runtime", choices=RUNTIMES, action="append", help="only this one; can be given again")
    parser.add_argument("--sequences", type=int, default=10_000, help="random sequences for each runtime")
    parser.add_argument("--maps", type=int, default=2_000, help="random maps for each runtime")
    parser.add_argument("--connections", type=int, default=2_000, help="TCP connections for each runtime")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write-golden", action="store_true", help="write tests/oracle/golden/ anew, and compare nothing")
    parser.add_argument("--folder", type=Path, help="where to put everything (default: a temporary folder, removed at the end)")
    found = parser.parse_args()
    if found.short:
        found.sequences, found.maps, found.connections = 300, 100, 100
    return found


def checks(wine: Wine, place: Path, runtime: Runtime, asked: argparse.Namespace) -> list[Report]:
    """Every check of one runtime."""
    reports = []
    with Agent(wine, place, runtime) as agent:
        for check in archive_checks(asked.sequences, asked.maps, 3 if asked.short else 1, asked.seed):
            began = time.monotonic()
            reports.append(check(agent))
            tell(runtime, reports[-1], began)
    with Agent(wine, place, runtime, "socket_agent") as agent:
        began = time.monotonic()
        reports.append(check_exchange(agent, asked.connections, asked.seed))
        tell(runtime, reports[-1], began)
    with Agent(wine, place, runtime, "socket_agent") as agent:
        began = time.monotonic()
        reports.append(check_socket_states(agent, every=25 if asked.short else 1))
        tell(runtime, reports[-1], began)
    return reports


def tell(runtime: Runtime, report: Report, began: float) -> None:
    """Print what a check found."""
    explained, unexplained = sum(report.reasons.values()), len(report.unexplained)
    figures = f"{report.compared} compared, {explained} differ for a reason, {unexplained} without"
    print(f"{runtime.name:<11}{report.name:<18} {figures}  ({time.monotonic() - began:.1f} s)", flush=True)
    for line in report.unexplained[:SHOWN]:
        print(f"    {line}")


def main() -> int:
    """Run the checks; 1 when a difference has no reason, 2 when a program is missing."""
    asked = arguments()
    if missing := missing_programs(*COMPILERS):
        print(f"not installed: {', '.join(missing)} (apt install wine wine64 clang lld llvm)", file=sys.stderr)
        return 2
    runtimes = [RUNTIMES[name] for name in asked.runtime or RUNTIMES]
    with tempfile.TemporaryDirectory(prefix="lifecycle-oracle-") as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        places = {runtime.name: prepare(runtime, folder) for runtime in runtimes}
        with Wine(folder) as wine:
            if asked.write_golden:
                write_golden(wine, [(runtime, places[runtime.name]) for runtime in runtimes])
                return 0
            reports = [report for runtime in runtimes for report in checks(wine, places[runtime.name], runtime, asked)]
    reasons = sorted({reason for report in reports for reason in report.reasons})
    print("The reasons:", *(f"- {reason}: {sum(report.reasons[reason] for report in reports)}" for reason in reasons), sep="\n")
    unexplained = sum(len(report.unexplained) for report in reports)
    print(f"The real MFC: {sum(report.compared for report in reports)} compared, {unexplained} differences without a reason")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
