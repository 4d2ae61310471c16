"""Runs test suites without `lifecycle run`, with it, and without it again: the same results, and no finding without a reason.

Tests whose results differ between the two plain runs vary by themselves; they are counted, and not compared.

    python tests/checking/suites.py                        the suites of CPython that the project promises
    python tests/checking/suites.py test_ssl test_imaplib  others of CPython
    python tests/checking/suites.py websockets/tests       a folder of tests for pytest, of an unpacked package
    python tests/checking/suites.py --collect anyio/tests  the same, where a test may fail by what an earlier one has left

-k and the like, for pytest, follow behind `--`. With --collect, cyclic garbage is collected at the end of each test only, in
all three runs: the warnings of what the collector finds then belong to the same test each time.

Needs a Python with its `test` package. Exit code 1 when a result differs, or a finding is not explained.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from explained import unexplained

SUITES = ("test_socket", "test_socketserver", "test_httpservers", "test_asyncio", "test_ftplib", "test_selectors")
LIMIT = 900.0  # seconds for one run of a suite
PLUGINS = Path(__file__).parent / "plugins"
COLLECT = ("-p", "collect_each_test")
PASSED = ("", "completed")  # in pytest's words, and in those of CPython's runner

REGRTEST = ("-m", "test", "-u", "network", "-i", "*VSOCK*")  # vsock hangs on machines that are guests themselves


class Outcome(NamedTuple):
    """The result of each test of a suite, and how long the suite took: wall time and processor time."""

    results: Counter[tuple[str, str]]
    seconds: float
    processor: float

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(count for (_, result), count in self.results.items() if result in PASSED)


def run_suite(suite: str, options: Sequence[str], limit: float, *prefix: str) -> Outcome:
    """The results of a suite, run by the command `prefix` within `limit` seconds. options: pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder) / "results.xml"
        tests = Path(suite).absolute()
        project = next((each for each in tests.parents if (each / "pyproject.toml").exists()), tests)
        runner = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *options] if tests.is_dir() else list(REGRTEST)
        began, before = time.perf_counter(), os.times()
        told = Path(folder) / "told.txt"
        with told.open("w") as output:
            run = subprocess.Popen(
                [*prefix, *runner, "--junit-xml", str(xml), str(tests) if tests.is_dir() else suite],
                cwd=project if tests.is_dir() else folder,
                env={**os.environ, "PYTHONPATH": str(PLUGINS)} if COLLECT[1] in options else None,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            with suppress(subprocess.TimeoutExpired):
                run.wait(limit)
            with suppress(ProcessLookupError):  # what the suite has left running would slow the next one
                os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        if not xml.exists():
            end = "".join(told.read_text(errors="replace").splitlines(keepends=True)[-20:])
            which = "the checked run" if "lifecycle" in prefix else "a plain run"
            sys.exit(
                f"{end}\n{suite}: no results of {which}: it does not exist, ended early, or ran longer than {limit:.0f} seconds"
            )
        seconds, after = time.perf_counter() - began, os.times()
        return Outcome(_results(xml), seconds, sum(after[2:4]) - sum(before[2:4]))


def _results(xml: Path) -> Counter[tuple[str, str]]:
    """(test, its result) -> how often."""
    found: Counter[tuple[str, str]] = Counter()
    for case in ElementTree.parse(xml).iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        name = f"{case.get('classname', '')}.{case.get('name', '')}".lstrip(".")
        found[name, kinds[0] if kinds else case.get("result", "")] += 1
    return found


def compare(suite: str, options: Sequence[str] = (), *, show: int = 12, limit: float = LIMIT) -> bool:
    """Run `suite` both ways and print the results. True if nothing differs and everything is explained."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        plain = run_suite(suite, options, limit, sys.executable)
        checked = run_suite(suite, options, limit, sys.executable, "-m", "lifecycle", "run", "--report", str(report))
        again = run_suite(suite, options, limit, sys.executable)
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
    left = unexplained(suite, findings)
    varying = {test for test, _ in _differences(plain.results, again.results)}
    differing = {each: count for each, count in _differences(plain.results, checked.results).items() if each[0] not in varying}
    wall, processor = checked.seconds / plain.seconds, checked.processor / plain.processor
    print(f"{suite}: {plain.results.total()} and {checked.results.total()} results, ", end="")
    print(f"{plain.passed} and {checked.passed} passed, {plain.seconds:.1f} s x {wall:.2f}, ", end="")
    print(f"of the processor {plain.processor:.1f} s x {processor:.2f}; {len(varying)} tests vary by themselves; ", end="")
    print(f"{len(findings)} findings, {len(left)} of them not explained")
    for (test, result), count in differing.items():
        print(f"  differs: {test} {result} x{count}")
    for cause, count in Counter(_cause(finding) for finding in left).most_common(show):
        print(f"  {count:4} {cause}", flush=True)
    return not differing and not left


def _differences(one: Counter[tuple[str, str]], other: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    return (one - other) + (other - one)


def _cause(finding: dict[str, object]) -> str:
    keys = ("kind", "role", "state", "call", "file", "line", "function", "library", "answer")
    return " ".join(str(finding[key]) for key in keys)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", default=SUITES)
    parser.add_argument("--show", type=int, default=12, help="how many causes of findings to show")
    parser.add_argument("--collect", action="store_true", help="collect garbage at the end of each test only")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for one run of a suite")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    chosen = parser.parse_args(sys.argv[1:at])
    options = [*(COLLECT if chosen.collect else ()), *sys.argv[at + 1 :]]
    passed = [compare(suite, options, show=chosen.show, limit=chosen.limit) for suite in chosen.suites]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
