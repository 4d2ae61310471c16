"""`python -m tests.windows`: the suite on the official CPython for Windows, under Wine, without a display."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.oracle.wine import Wine, missing_programs

from .interpreter import NoLibrary, unpack
from .parts import LEFT_OUT, PARTS, Part

ROOT = Path(__file__).parent.parent.parent
PART_SECONDS = 600.0
TEST_SECONDS = 200
TIMEOUT = (f"--timeout={TEST_SECONDS}", "-o", "timeout_method=thread")
PYTEST = ("-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", "--tb=short", *TIMEOUT)
SUMMARY = re.compile(r"^(?=.*\d+ (?:passed|failed|skipped|error)).*in [\d.]+s.*$", re.MULTILINE)
SKIPPED = re.compile(r"^SKIPPED \[(\d+)\] \S+?: (.*)$", re.MULTILINE)


def run_part(wine: Wine, python: Path, part: Part, log: Path) -> bool:
    """Run a part and print its summary; what pytest printed is shown when it failed."""
    deselect = " and ".join(f"not {name}" for name, _ in part.without)
    command = [python, *PYTEST, "-rs", *(["-k", deselect] if deselect else []), part.path]
    began = time.monotonic()
    try:
        status = wine.run(command, log, seconds=PART_SECONDS, cwd=ROOT)
    except subprocess.TimeoutExpired:
        status = -1
    text = log.read_text(encoding="utf-8", errors="replace")
    summary = SUMMARY.findall(text)
    print(f"{part.path:<42} {summary[-1] if summary else 'no summary'}  ({time.monotonic() - began:.0f} s)", flush=True)
    for name, reason in part.without:
        print(f"    without *{name}*: {reason}")
    reasons: Counter[str] = Counter()
    for number, reason in SKIPPED.findall(text):
        reasons[reason] += int(number)
    for reason, count in reasons.items():
        print(f"    {count} skipped: {reason}")
    if status != 0:
        print(text[-6000:])
    return status == 0


COMMANDS = (("matrix", "--diff", "winsock"), ("conform", "socket"))
"""what the system there does, beside Winsock's table: every difference is explained"""


def run_command(wine: Wine, python: Path, command: tuple[str, ...], log: Path) -> bool:
    """Run one of this package's commands there, and print its last line."""
    try:
        status = wine.run([python, "-m", "lifecycle", *command], log, seconds=PART_SECONDS, cwd=ROOT)
    except subprocess.TimeoutExpired:
        status = -1
    text = log.read_text(encoding="utf-8", errors="replace")
    print(f"{'lifecycle ' + ' '.join(command):<42} {text.strip().splitlines()[-1] if text.strip() else 'nothing printed'}")
    if status != 0:
        print(text[-6000:])
    return status == 0


def main() -> int:
    """Run the parts; 1 when one failed, 2 when a program is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.windows", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the parts that take seconds, as CI does it")
    parser.add_argument("--folder", type=Path, help="where to put everything (default: a temporary folder, removed at the end)")
    parser.add_argument("paths", nargs="*", help="only these parts")
    asked = parser.parse_args()
    if missing := missing_programs():
        print(f"not installed: {', '.join(missing)} (apt install wine wine64)", file=sys.stderr)
        return 2
    parts = [part for part in PARTS if (part.in_short or not asked.short) and (not asked.paths or part.path in asked.paths)]
    with tempfile.TemporaryDirectory(prefix="lifecycle-windows-") as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            python = unpack(folder, ROOT)
        except NoLibrary as reason:
            print(f"left out: {reason}")
            return 0
        with Wine(folder) as wine:
            passed = [run_part(wine, python, part, folder / "part.txt") for part in parts]
            passed += [run_command(wine, python, command, folder / "part.txt") for command in COMMANDS]
    for what, reason in LEFT_OUT.items():
        print(f"left out: {what}: {reason}")
    print(f"CPython 3.11.9 for Windows under Wine: {sum(passed)} of {len(passed)} parts pass")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
