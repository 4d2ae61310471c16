"""Breaks the package's code, one small change at a time, and counts how many of the changes its tests notice.

    python tests/mutation.py                         # 60 mutants of each package, drawn at random
    python tests/mutation.py net archive --draw 200  # more of two of them
    python tests/mutation.py --seed 7 --report mutation.json --jobs 3

cosmic-ray makes the mutants, in a copy of the repository's last commit. The tests run once without a mutant, and coverage.py
notes which of them run each line. On each mutant then run the tests that run the changed statement, until one fails: those of
the test file with the mutated file's name first, then those that run what few tests run of the function, up to MOST_SECONDS,
but FEWEST at least. Of a statement that runs while the package is imported they are those that run the lines with its names, or
the function that it begins. The lines that other Python processes run count as their test's. Where no test runs the statement,
those run that wait for other processes, in which it may run unseen. A change that another test alone would notice counts as not
noticed. What does not run on this system is not changed: see code_parts.py.

A mutant that no test notices is printed as a difference, to be looked at: it is equivalent, or a test is missing. Exits with 1
where fewer than 85 % are killed. Needs `pip install cosmic-ray coverage`. Results: benchmarks/mutation.md.
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from queue import SimpleQueue

import pytest
from code_parts import function_around, given_by, is_within, operator_spans, statement_around, unread_spans
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parents[1]
LEAST = 0.85
"""The share of the mutants that has to be killed"""

MOST_SECONDS = 15
"""How long the tests that try a mutant took without it, at most, in each run"""

FEWEST = 12
"""So many tests try it however long they take: on a loaded machine one test of a process may take all of the time"""

LONG_TEST = 3
"""Seconds from which a test comes behind the others"""

Stage = tuple[str, ...]
"""pytest's arguments for one run"""

PACKAGES = ("net", "system", "archive", "checking", "diagrams")

OF_RUNS = tuple(f"tests/checking/test_{name}.py" for name in ("live", "pytest_plugin", "run", "run_processes", "suites"))
"""the tests of the checker that start processes, which take most of its time"""

IN_RUNS = (
    "charts.py", "following", "inherited.py", "live_lines.py", "live_page.py", "program.py", "pytest_plugin.py",
    "pytest_session.py", "report.py", "run_problems.py", "run_text.py", "settings.py", "shared_file.py", "signal_handlers.py",
    "unseen.py",
)  # fmt: skip
"""files of the checker that work in these processes: all of these tests try a change of them"""

IN_PROCESS: Stage = ("tests/checking", *(f"--ignore={file}" for file in OF_RUNS))

TESTS: dict[str, tuple[Stage, ...]] = {
    "net/aio": (("tests/aio",),),
    "net/notify": (("tests/aio",),),
    "net": (("tests/net",), ("tests/roles/test_rows.py",), ("tests/aio",)),
    "system/matrices.py": (("tests/system",), ("tests/cli/test_matrix.py", "tests/conformance/test_matrix.py")),
    "system/platform_answers.py": (("tests/system",), ("tests/cli/test_matrix.py", "tests/roles"), ("tests/net",)),
    "system": (("tests/system",), ("tests/net",), ("tests/roles/test_rows.py",), ("tests/aio",)),
    "archive": (
        ("tests/archive",),
        ("tests/oracle/test_golden.py", "tests/cli/test_archive.py", "tests/cli/test_archive_load.py"),
        ("tests/aio/test_archives.py", "tests/aio/test_archive_gathering.py"),
    ),
    "checking/source": (("tests/checking/source",), ("tests/cli/test_lint.py",)),
    "checking/traces": (("tests/checking/traces",),),
    **{f"checking/{each}": (IN_PROCESS, *((file,) for file in OF_RUNS)) for each in IN_RUNS},
    "checking": (IN_PROCESS, ("tests/checking/test_run.py",)),
    "diagrams": (("tests/diagrams",),),
}
"""A file or folder of the package -> the runs of tests that have to notice a change of it, the fastest first.

Of several entries that hold a file, the first counts.
"""

NOT_CODE = re.compile(r"core/RemoveDecorator|core/ReplaceComparisonOperator_(Is(Not)?_(?!Is)|(?!Is)\w+_Is(Not)?$)")
"""Mutants of decorators, which mostly type checkers or caches alone read, and comparisons by `is` that no reader would write"""


SIGN = re.compile(r"core/Replace(Binary|Unary)Operator")
"""Mutants of an operator; cosmic-ray takes the `*` before keyword-only parameters for one"""


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


def mutants_of(package: str, root: Path = ROOT) -> Iterator[Mutant]:
    """Every mutant of a package."""
    operators = [
        (name, get_operator(name)()) for name in sorted(operator_names()) if not (NOT_CODE.match(name) or takes_arguments(name))
    ]
    for path in sorted(Path(root, "lifecycle", package).rglob("*.py")):
        nodes = list(ast_nodes(get_ast_from_path(path)))
        source = path.read_bytes()
        unread, signs = unread_spans(source), operator_spans(source)
        for name, operator in operators:
            places = (start for node in nodes for start, _ in operator.mutation_positions(node))
            for occurrence, place in enumerate(places):
                is_sign = not SIGN.match(name) or any(begin <= place < end for begin, end in signs)
                if is_sign and not any(begin <= place < end for begin, end in unread):
                    yield Mutant(path.relative_to(root).as_posix(), name, occurrence, place[0])


def takes_arguments(name: str) -> bool:
    """Whether the operator needs to be told what to put in."""
    return bool(get_operator(name).arguments())


def tests_of(file: str) -> tuple[Stage, ...]:
    """The runs of tests that have to notice a change of a file of the package."""
    inner = file.removeprefix("lifecycle/")
    return next(stages for prefix, stages in TESTS.items() if inner == prefix or inner.startswith(prefix + "/"))


@dataclass(frozen=True)
class Notes:
    """What one run without a mutant showed: each test's seconds, those with other processes, those that fail, those by line."""

    seconds: dict[str, float]
    elsewhere: frozenset[str]
    failed: frozenset[str]
    lines: dict[str, dict[str, list[str]]]

    def _users(self, file: str, statement: range, root: Path) -> set[str]:
        """The tests that run lines with the names that a statement gives, or the body of the function that it begins."""
        names, body = given_by((root / file).read_text(encoding="utf-8"), statement)
        users = {(file, line) for line in body}
        if names:
            word = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
            for each in self.lines:
                source = (root / each).read_text(encoding="utf-8").splitlines()
                users |= {(each, number) for number, line in enumerate(source, 1) if word.search(line)}
        return {test for each, line in users for test in self.lines.get(each, {}).get(str(line), ())}

    def order(self, file: str, statement: range, root: Path) -> list[str]:
        """The tests that may notice a change of a statement, the likeliest and fastest first."""
        by_line = self.lines.get(file, {})
        running = {test for line in statement for test in by_line.get(str(line), ())}
        if "" in running and not is_within((root / file).read_text(encoding="utf-8"), statement[0]):
            # it runs while the package is imported or tests are collected, and in each process that imports the package
            running = self._users(file, statement, root) - {""}
            running = running or {test for tests in by_line.values() for test in tests} - {""} or set(self.seconds)
        running.discard("")
        chosen = (running or self.elsewhere) - self.failed
        rarest = self._rarest(file, statement, root)
        own = f"/test_{Path(file).stem}.py::"

        def key(test: str) -> tuple[bool, bool, int, float, str]:
            seconds = self.seconds[test]
            return own not in test, seconds > LONG_TEST, rarest.get(test, len(self.seconds)).bit_length(), seconds, test

        ordered = sorted(chosen, key=key)
        ends = accumulate(self.seconds[test] for test in ordered)
        in_time = sum(end <= MOST_SECONDS for end in ends)
        return ordered[: max(in_time, FEWEST)]

    def _rarest(self, file: str, statement: range, root: Path) -> dict[str, int]:
        """Test -> how many tests run the rarest line that it runs of the function around a statement."""
        by_line = self.lines.get(file, {})
        found: dict[str, int] = {}
        for line in function_around((root / file).read_text(encoding="utf-8"), statement[0]):
            tests = by_line.get(str(line), ())
            for test in tests:
                found[test] = min(len(tests), found.get(test, len(tests)))
        return found


def notes_of(stage: Stage, root: Path) -> Notes:
    """Run the tests without a mutant. Those that fail are not run on mutants."""
    file = root / "reached.json"
    failed = failure_of(("--maxfail=0", *stage), root, 1800, LIFECYCLE_REACHED=str(file))
    if not file.exists():
        raise SystemExit(f"{' '.join(stage)} does not run without a mutant: {failed}")
    found = json.loads(file.read_text(encoding="utf-8"))
    file.unlink()
    for test in found["failed"]:
        print(f"fails without a mutant: {test}", file=sys.stderr)
    return Notes(found["seconds"], frozenset(found["elsewhere"]), frozenset(found["failed"]), found["lines"])


def tried(mutant: Mutant, notes: Sequence[Notes], root: Path) -> Verdict:
    """Run the tests on one mutant in the copy at `root`; those that do not end in time have noticed it."""
    began = time.monotonic()
    path = root / mutant.file
    statement = statement_around(path.read_text(encoding="utf-8"), mutant.line)
    orders = [each.order(mutant.file, statement, root) for each in notes]  # before: a mutant need not be Python
    with use_mutation(path, get_operator(mutant.operator)(), mutant.occurrence) as (before, after):
        if after is None:
            raise LookupError(mutant)
        forget_compiled(path)
        failures = (failure_with(each, order, root) for each, order in zip(notes, orders, strict=True))
        killer = next((failed for failed in failures if failed is not None), None)
    forget_compiled(path)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), mutant.file, mutant.file, n=0, lineterm="")
    return Verdict(mutant, killer is not None, killer or "", "\n".join(lines), round(time.monotonic() - began, 1))


def forget_compiled(path: Path) -> None:
    """Remove what was compiled of a file: Python does not see a change of the same length within a second."""
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
        compiled.unlink()


def failure_with(notes: Notes, order: Sequence[str], root: Path) -> str | None:
    """The first of these tests that fails."""
    if not order:
        return None
    chosen = root / "chosen.json"
    chosen.write_text(json.dumps({"known": sorted(notes.seconds), "order": order}), encoding="utf-8")
    files = tuple(dict.fromkeys(test.partition("::")[0] for test in order))
    longest = max(notes.seconds[test] for test in order)
    seconds = 60 + 6 * sum(notes.seconds[test] for test in order)
    return failure_of((f"--timeout={max(15, 6 * longest):.0f}", *files), root, seconds, LIFECYCLE_CHOSEN=str(chosen))


def failure_of(arguments: Sequence[str], root: Path, seconds: float, **variables: str) -> str | None:
    """The first test that fails in the copy at `root`, or the last line of a run that broke; None where all pass."""
    options = ("-x", "-q", "--tb=no", "-p", "reached_lines", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header")
    command = [sys.executable, "-m", "pytest", *options, *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(root), str(root / "tests"))), **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=root, start_new_session=True
        )
        try:
            if process.wait(seconds) in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
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


def drawn(package: str, draw: int, seed: str, root: Path) -> tuple[list[Mutant], int]:
    """A random draw of a package's mutants, and how many mutants there are."""
    found = list(mutants_of(package, root))
    return random.Random(f"{package} {seed}").sample(found, min(draw, len(found))), len(found)


def judged(mutants: Sequence[Mutant], known: dict[Stage, Notes], copies: Sequence[Path]) -> list[Verdict]:
    """The verdicts on mutants, one at a time in a copy. `known` gets the notes of stages that it lacks."""
    for stage in dict.fromkeys(stage for mutant in mutants for stage in tests_of(mutant.file)):
        if stage not in known:
            known[stage] = notes_of(stage, copies[0])
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def verdict_on(mutant: Mutant) -> Verdict:
        copy = free.get()
        try:
            verdict = tried(mutant, [known[stage] for stage in tests_of(mutant.file)], copy)
        finally:
            free.put(copy)
        word = f"killed by {verdict.killer}" if verdict.killed else "SURVIVED"
        print(f"{mutant.file}:{mutant.line} {mutant.operator} {verdict.seconds} s: {word}", file=sys.stderr, flush=True)
        return verdict

    with ThreadPoolExecutor(len(copies)) as pool:
        return list(pool.map(verdict_on, mutants))


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
    known: dict[Stage, Notes] = {}
    with ExitStack() as stack:
        copies = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(max(1, options.jobs))]
        for copy in copies:
            subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(copy)], check=True)
        for package in options.packages or PACKAGES:
            mutants, count = drawn(package, options.draw, options.seed, copies[0])
            verdicts = judged(mutants, known, copies)
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
