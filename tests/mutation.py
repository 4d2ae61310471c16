"""Breaks the package's code, one small change at a time, and counts how many of the changes its tests notice.

    python tests/mutation.py                         # 60 mutants of each package, drawn at random
    python tests/mutation.py net archive --draw 200  # more of two of them
    python tests/mutation.py --seed 7 --report mutation.json

cosmic-ray makes the mutants; the tests of the package run on each, in a copy of the repository, until one fails. A mutant that
no test notices is printed as a difference, to be looked at: it is equivalent, or a test is missing. Exits with 1 where fewer
than 85 % are killed. Needs `pip install cosmic-ray`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import asdict, dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parents[1]
LEAST = 0.85
"""The share of the mutants that has to be killed"""

TESTS = {
    "net": ("tests/net", "tests/aio"),
    "system": ("tests/system", "tests/net", "tests/roles/test_rows.py"),
    "archive": (
        "tests/archive/test_vectors.py",
        "tests/archive/test_rows.py",
        *(f"tests/archive/test_regressions_{each}.py" for each in ("values", "objects", "classes", "failures", "scope")),
        "tests/archive/test_rollback.py",
        "tests/archive",
        "tests/aio/test_archives.py",
    ),
    "checking": ("tests/checking",),
    "diagrams": ("tests/diagrams",),
}
"""package -> the tests that have to notice a change of it, the fastest first"""

NOT_CODE = re.compile(r"core/ReplaceBinaryOperator_BitOr_|core/RemoveDecorator|core/ReplaceComparisonOperator_Is(Not)?_(?!Is)")
"""Mutants of annotations (X | None), of decorators that type checkers alone read, and of `is` that no reader would write"""


@dataclass(frozen=True)
class Mutant:
    """One change: the operator's occurrence in a file."""

    file: str
    operator: str
    occurrence: int
    line: int


@dataclass(frozen=True)
class Verdict:
    """What the tests said of a mutant; `difference` is the change, as a diff."""

    mutant: Mutant
    killed: bool
    difference: str
    seconds: float


def mutants_of(package: str) -> Iterator[Mutant]:
    """Every mutant of a package, in the folder of which this is called."""
    for path in sorted(Path("lifecycle", package).rglob("*.py")):
        nodes = list(ast_nodes(get_ast_from_path(path)))
        for name in sorted(operator_names()):
            operator_class = get_operator(name)
            if NOT_CODE.match(name) or operator_class.arguments():
                continue
            operator = operator_class()
            places = (start for node in nodes for start, _ in operator.mutation_positions(node))
            for occurrence, (line, _) in enumerate(places):
                yield Mutant(str(path), name, occurrence, line)


def tried(mutant: Mutant, tests: Sequence[str], seconds: float) -> Verdict:
    """Run the tests on one mutant; those that do not end within the time have noticed it."""
    began = time.monotonic()
    with use_mutation(Path(mutant.file), get_operator(mutant.operator)(), mutant.occurrence) as (before, after):
        if after is None:
            raise LookupError(mutant)
        killed = not _passes(tests, seconds)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), mutant.file, mutant.file, n=0, lineterm="")
    return Verdict(mutant, killed, "\n".join(lines), round(time.monotonic() - began, 1))


def _passes(tests: Sequence[str], seconds: float) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    )
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def scored(package: str, draw: int, seed: str) -> tuple[list[Verdict], int]:
    """The verdicts on a random draw of a package's mutants, and how many mutants there are."""
    tests = [each for each in TESTS[package] if Path(each).exists()]
    began = time.monotonic()
    if not _passes(tests, 900):
        raise SystemExit(f"the tests of {package} fail without a mutant: {' '.join(tests)}")
    seconds = 60 + 3 * (time.monotonic() - began)
    found = list(mutants_of(package))
    chosen = random.Random(f"{package} {seed}").sample(found, min(draw, len(found)))
    verdicts = []
    for number, mutant in enumerate(chosen, 1):
        verdict = tried(mutant, tests, seconds)
        verdicts.append(verdict)
        word = "killed" if verdict.killed else "SURVIVED"
        print(f"{package} {number}/{len(chosen)} {word} {mutant.file}:{mutant.line} {mutant.operator}", file=sys.stderr)
    return verdicts, len(found)


def main() -> int:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "packages", nargs="*", choices=[[], *TESTS], default=[], metavar="PACKAGE", help=f"of {', '.join(TESTS)}"
    )
    parser.add_argument("--draw", type=int, default=60, metavar="N", help="mutants of each package (60)")
    parser.add_argument("--seed", default="1", help="another seed draws other mutants (1)")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the verdicts as JSON")
    options = parser.parse_args()
    report = options.report.absolute() if options.report else None
    all_verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), folder], check=True)
        with chdir(folder):
            for package in options.packages or TESTS:
                verdicts, count = scored(package, options.draw, options.seed)
                all_verdicts += verdicts
                for verdict in verdicts:
                    if not verdict.killed:
                        print(f"\n{verdict.difference}")
                killed = sum(verdict.killed for verdict in verdicts)
                print(f"{package}: {killed} of {len(verdicts)} killed, {killed / len(verdicts):.1%}; of {count} mutants")
                if report is not None:
                    report.write_text(json.dumps([asdict(each) for each in all_verdicts], indent=1), encoding="utf-8")
    share = sum(verdict.killed for verdict in all_verdicts) / len(all_verdicts)
    print(f"all: {share:.1%} of {len(all_verdicts)} killed")
    return int(share < LEAST)


if __name__ == "__main__":
    raise SystemExit(main())
