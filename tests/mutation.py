"""Breaks the package's code, one small change at a time, and counts how many of the changes its tests notice.

    python tests/mutation.py                         # 60 mutants of each package, drawn at random
    python tests/mutation.py net archive --draw 200  # more of two of them
    python tests/mutation.py --seed 7 --report mutation.json --jobs 3

cosmic-ray makes the mutants; the tests of the file that is mutated run on each, in a copy of the repository's last commit,
until one fails. A mutant that no test notices is printed as a difference, to be looked at: it is equivalent, or a test is
missing. Exits with 1 where fewer than 85 % are killed. Needs `pip install cosmic-ray`. Results: benchmarks/mutation.md.
"""

from __future__ import annotations

import argparse
import ast
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code, use_mutation
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parents[1]
LEAST = 0.85
"""The share of the mutants that has to be killed"""

Stage = tuple[str, ...]
"""pytest's arguments for one run"""

AWAITED: tuple[Stage, ...] = (
    ("tests/aio", "-k", "not uvloop and not trio", "--ignore=tests/aio/test_as_blocking.py"),
    ("tests/aio/test_as_blocking.py",),
    ("tests/aio", "-k", "uvloop or trio"),
)
"""Tests of the awaited sockets: on asyncio, then those of the blocking sockets, then on the other event loops"""

PACKAGES = ("net", "system", "archive", "checking", "diagrams")

TESTS: dict[str, tuple[Stage, ...]] = {
    "net/aio": AWAITED,
    "net/notify": AWAITED,
    "net/blocking": (("tests/net",), ("tests/roles/test_rows.py",)),
    "net": (("tests/net",), ("tests/roles/test_rows.py",), *AWAITED),
    "system/addresses.py": (("tests/system", "tests/net/test_addresses.py"), ("tests/net",)),
    "system/matrices.py": (("tests/system",), ("tests/cli/test_matrix.py", "tests/conformance/test_matrix.py")),
    "system/platform_answers.py": (("tests/system",), ("tests/cli/test_matrix.py", "tests/roles", "tests/net")),
    "system": (("tests/system",), ("tests/net",), ("tests/roles/test_rows.py",), *AWAITED[:2]),
    "archive": (("tests/archive",), ("tests/aio/test_archives.py",)),
    "checking": (("tests/checking",),),
    "diagrams": (("tests/diagrams",),),
}
"""A file or folder of the package -> the runs of tests that have to notice a change of it, the fastest first.

Of several entries that hold a file, the first counts.
"""

NOT_CODE = re.compile(r"core/RemoveDecorator|core/ReplaceComparisonOperator_(Is(Not)?_(?!Is)|(?!Is)\w+_Is(Not)?$)")
"""Mutants of decorators, which mostly type checkers or caches alone read, and comparisons by `is` that no reader would write"""

UNREAD = ("TYPE_CHECKING", "sys.platform == 'win32'", "os.name == 'nt'")
"""Conditions that are false where the mutants run: what stands under them is for type checkers, or for another system"""

UNREAD_NAMES = {"__slots__", "__all__"}


@dataclass(frozen=True)
class Mutant:
    """One change: the operator's occurrence in a file."""

    file: str
    operator: str
    occurrence: int
    line: int


@dataclass(frozen=True)
class Verdict:
    """What the tests said of a mutant; `killer` is the test that failed, `difference` the change."""

    mutant: Mutant
    killed: bool
    killer: str
    difference: str
    seconds: float


Place = tuple[int, int]
"""(line, column)"""


def unread_spans(source: bytes) -> list[tuple[Place, Place]]:
    """The parts of a file that are not run: annotations, __slots__, and what TYPE_CHECKING or another system is needed for."""
    found: list[ast.AST] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.If() if ast.unparse(node.test) in UNREAD:
                found += node.body
            case ast.FunctionDef() | ast.AsyncFunctionDef() if any("overload" in ast.unparse(e) for e in node.decorator_list):
                found.append(node)
            case ast.FunctionDef(returns=ast.expr()) | ast.AsyncFunctionDef(returns=ast.expr()):
                found.append(node.returns)
            case ast.arg(annotation=ast.expr()) | ast.AnnAssign():
                found.append(node.annotation)
            case ast.Assign(targets=[ast.Name(id=name)]) if name in UNREAD_NAMES:
                found.append(node)
    # parso counts columns in characters, ast in bytes: the same, since the code is ASCII where it is not text
    return [((n.lineno, n.col_offset), (n.end_lineno, n.end_col_offset)) for n in found]  # type: ignore[attr-defined]


def mutants_of(package: str, root: Path = ROOT) -> Iterator[Mutant]:
    """Every mutant of a package."""
    for path in sorted(Path(root, "lifecycle", package).rglob("*.py")):
        nodes = list(ast_nodes(get_ast_from_path(path)))
        source = path.read_bytes()
        unread = unread_spans(source)
        for name in sorted(operator_names()):
            operator_class = get_operator(name)
            if NOT_CODE.match(name) or operator_class.arguments():
                continue
            operator = operator_class()
            places = (start for node in nodes for start, _ in operator.mutation_positions(node))
            for occurrence, place in enumerate(places):
                if not any(begin <= place < end for begin, end in unread) and _is_code(source, operator, occurrence):
                    yield Mutant(path.relative_to(root).as_posix(), name, occurrence, place[0])


def _is_code(source: bytes, operator: Operator, occurrence: int) -> bool:
    """Whether the mutant is code: cosmic-ray takes the `*` before keyword-only parameters for an operator."""
    if not type(operator).__name__.startswith(("ReplaceBinaryOperator", "ReplaceUnaryOperator")):
        return True
    mutated = mutate_code(source, operator, occurrence)
    try:
        ast.parse(mutated or "")
    except SyntaxError:
        return False
    return mutated is not None


def tests_of(file: str) -> tuple[Stage, ...]:
    """The runs of tests that have to notice a change of a file of the package."""
    inner = file.removeprefix("lifecycle/")
    return next(stages for prefix, stages in TESTS.items() if inner == prefix or inner.startswith(prefix + "/"))


def tried(mutant: Mutant, stages: Sequence[Stage], root: Path, seconds: float = 300) -> Verdict:
    """Run the tests on one mutant in the copy at `root`; those that do not end within `seconds` have noticed it."""
    began = time.monotonic()
    with use_mutation(root / mutant.file, get_operator(mutant.operator)(), mutant.occurrence) as (before, after):
        if after is None:
            raise LookupError(mutant)
        killer = next((failed for stage in stages if (failed := failure_of(stage, root, seconds)) is not None), None)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), mutant.file, mutant.file, n=0, lineterm="")
    return Verdict(mutant, killer is not None, killer or "", "\n".join(lines), round(time.monotonic() - began, 1))


def failure_of(stage: Stage, root: Path, seconds: float) -> str | None:
    """The first test that fails in the copy at `root`, or the last line of a run that broke; None where all pass."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--timeout=40", "-p", "no:cacheprovider", "--no-header", *stage]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=root, start_new_session=True
        )
        try:
            if process.wait(seconds) == 0:
                return None
        except subprocess.TimeoutExpired:
            return "the run did not end in time"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        output.seek(0)
        lines = output.read().splitlines() or [f"exit status {process.returncode}"]
    return next((line for line in lines if line.startswith(("FAILED", "ERROR"))), lines[-1])[:300]


def scored(package: str, draw: int, seed: str, copies: Sequence[Path]) -> tuple[list[Verdict], int]:
    """The verdicts on a random draw of a package's mutants, and how many mutants there are. One mutant at a time in a copy."""
    found = list(mutants_of(package, copies[0]))
    chosen = random.Random(f"{package} {seed}").sample(found, min(draw, len(found)))
    for stage in dict.fromkeys(stage for mutant in chosen for stage in tests_of(mutant.file)):
        if (failed := failure_of(stage, copies[0], 900)) is not None:
            raise SystemExit(f"{' '.join(stage)} fails without a mutant: {failed}")
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def judged(mutant: Mutant) -> Verdict:
        copy = free.get()
        try:
            verdict = tried(mutant, tests_of(mutant.file), copy)
        finally:
            free.put(copy)
        word = f"killed by {verdict.killer}" if verdict.killed else "SURVIVED"
        print(f"{mutant.file}:{mutant.line} {mutant.operator} {verdict.seconds} s: {word}", file=sys.stderr, flush=True)
        return verdict

    with ThreadPoolExecutor(len(copies)) as pool:
        return list(pool.map(judged, chosen)), len(found)


def main() -> int:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "packages", nargs="*", choices=[[], *PACKAGES], default=[], metavar="PACKAGE", help=f"of {', '.join(PACKAGES)}"
    )
    parser.add_argument("--draw", type=int, default=60, metavar="N", help="mutants of each package (60)")
    parser.add_argument("--seed", default="1", help="another seed draws other mutants (1)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="mutants to try at a time, each in its own copy (1)")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write the verdicts as JSON")
    options = parser.parse_args()
    all_verdicts: list[Verdict] = []
    with ExitStack() as stack:
        copies = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(max(1, options.jobs))]
        for copy in copies:
            subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(copy)], check=True)
        for package in options.packages or PACKAGES:
            verdicts, count = scored(package, options.draw, options.seed, copies)
            all_verdicts += verdicts
            for verdict in verdicts:
                if not verdict.killed:
                    print(f"\n{verdict.difference}")
            killed = sum(verdict.killed for verdict in verdicts)
            print(f"{package}: {killed} of {len(verdicts)} killed, {killed / len(verdicts):.1%}; of {count} mutants")
            if options.report is not None:
                options.report.write_text(json.dumps([asdict(each) for each in all_verdicts], indent=1), encoding="utf-8")
    share = sum(verdict.killed for verdict in all_verdicts) / len(all_verdicts)
    print(f"all: {share:.1%} of {len(all_verdicts)} killed")
    return int(share < LEAST)


if __name__ == "__main__":
    raise SystemExit(main())
