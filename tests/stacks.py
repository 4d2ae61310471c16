"""Every agent that is shipped, against its table of known differences: python -m tests.stacks [--long] [NAME...]

Each has to pass; with --long each line of its table has to show, too: a stack that has changed is a failure. A line that
depends on time says "now and then", and need not show. A stack whose compiler is missing is left out, and said to be.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from _pytest.outcomes import Skipped

from lifecycle import ACCEPTED, CLIENT, DATAGRAM, SERVER
from lifecycle.conformance import conform, target_named
from tests.conformance.agents import programs

STACKS: dict[str, tuple[Callable[[], str], int, int]] = {
    "posix": (programs.posix, 2, 300),
    "lwip": (programs.lwip, 1, 0),
    "netstack": (programs.netstack, 1, 20),
    "go": (programs.go_net, 1, 60),
    "java": (programs.java_nio, 1, 60),
    "node": (programs.node_net, 1, 60),
    "winsock": (programs.winsock, 1, 0),
}
"""name -> (makes its command, depth, walks)"""

NOW_AND_THEN = "now and then"


def is_as_known(name: str, *, is_long: bool) -> bool:
    """Run one, and say in a line what it did."""
    command, depth, walks = STACKS[name]
    try:
        target = target_named(f"agent:{command()}")
    except Skipped as missing:
        print(f"{name}: left out: {missing}", flush=True)
        return True
    report = conform(target, [SERVER, CLIENT, ACCEPTED, DATAGRAM], depth=2 if is_long else depth, walks=walks)
    steps = sum(each.steps for each in report.roles)
    rate = f"{steps:,} steps in {report.seconds:.1f} s, {steps / report.seconds:,.0f} a second"
    known = f"{len({each.explanation for each in report.divergences})} known differences"
    print(f"{name}: {'passes' if report.passes else 'FAILS'}: {rate}; {known}", flush=True)
    for each in report.unexplained:
        print(f"    {each}  ({' > '.join(each.steps)})")
    for line in report.unseen:
        print(f"    not seen: {line}")
    return report.passes and not (is_long and any(NOW_AND_THEN not in line for line in report.unseen))


if __name__ == "__main__":
    names = [each for each in sys.argv[1:] if each != "--long"]
    found = [is_as_known(name, is_long="--long" in sys.argv) for name in names or STACKS]
    print(f"stacks: {sum(found)} of {len(found)} as known")
    sys.exit(not all(found))
