"""How much of programs `lifecycle lint` follows, what it reports there, how many inserted mistakes it finds, how fast it is.

    python -m benchmarks.lint FOLDER...  for instance the standard library and installed packages

A script of its own, since it needs source to read. A mistake is a close() and a call behind it, inserted after a call that was
checked: the last one of each followed object, in at most four of a file, one at a time. Exit code 1 where a certain mistake is
reported in the source as it is.
"""

from __future__ import annotations

import ast
import random
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lifecycle.checking.source.constructors import STREAM_WRITER
from lifecycle.checking.source.environment import Site, Sites
from lifecycle.checking.source.flow import Flow
from lifecycle.checking.source.reading import python_files, read_file, read_source
from lifecycle.roles.python.words import OF_A_LOOP

PER_FILE = 4
AFTERWARDS = {STREAM_WRITER: "write(b'')"}
"""a machine -> the call that is wrong after close(); recv(1) for the others"""

_NOTED: dict[Site, tuple[ast.Call, str]] = {}


class NotingFlow(Flow):
    """Notes the last call that was checked on each object, outside blocks that are meant to fail."""

    def step(self, sites: Sites, call: str, node: ast.AST) -> None:
        """Note the call, and read it."""
        super().step(sites, call, node)
        if self.mistakes.muted or len(sites) != 1 or call == "close" or not isinstance(node, ast.Call):
            return
        (site,) = sites
        machine = self.machines.get(site)
        if machine is not None and not site[2] and site[:2] in self.mistakes.called and self.env.places.get(site):
            _NOTED[site] = node, AFTERWARDS.get(machine, "recv(1)")


@dataclass
class Figures:
    """What was measured. inserted, found: mistakes that were inserted, one at a time, and reported."""

    files: int = 0
    lines: int = 0
    seconds: float = 0.0
    made: int = 0
    followed: int = 0
    reported: list[str] = field(default_factory=list)
    inserted: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)


def measure(paths: list[Path]) -> Figures:
    """Read the files once, timed, and those that make objects again for each inserted mistake."""
    figures, making = Figures(), []
    for path in python_files(paths):
        began = time.process_time()
        found = read_file(path)
        figures.seconds += time.process_time() - began
        figures.files += 1
        figures.lines += path.read_bytes().count(b"\n")
        figures.made += found.made
        figures.followed += found.followed
        figures.reported += [f"{path}:{each.line} {each.call}()" for each in found.mistakes if each.must]
        if found.made:
            making.append(path)
    for path in making:
        _insert(path, figures)
    return figures


def _insert(path: Path, figures: Figures) -> None:
    _NOTED.clear()
    source = path.read_bytes().decode("utf-8", "replace")
    as_it_is = read_source(source.encode(), str(path), kind=NotingFlow)
    if as_it_is.problem:
        return
    places = sorted(_places(ast.parse(source)))
    random.Random(str(path.name)).shuffle(places)
    for end, indent, text, call in places[:PER_FILE]:
        lines = source.splitlines(keepends=True)
        lines[end:end] = [f"{' ' * indent}{text}.close()\n", f"{' ' * indent}{text}.{call}\n"]
        changed = read_source("".join(lines).encode(), str(path))
        if changed.problem:
            continue
        figures.inserted += 1
        if any(each.must and each.line == end + 2 for each in changed.mistakes):
            figures.found += 1
        else:
            figures.missed.append(f"{path}:{end} {text}.{call}")


def _places(tree: ast.Module) -> Iterator[tuple[int, int, str, str]]:
    """Behind which line a mistake can be inserted, how far indented, the object's name there, and the call."""
    statements = {
        (part.lineno, part.col_offset, part.end_col_offset): each
        for each in ast.walk(tree)
        if isinstance(each, ast.Expr | ast.Assign)
        for part in ast.walk(each)
        if isinstance(part, ast.Call)
    }
    for call, afterwards in _NOTED.values():
        statement = statements.get((call.lineno, call.col_offset, call.end_col_offset))
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(call.func, ast.Attribute) and call.func.attr in OF_A_LOOP:
            owner = call.args[0]
        if statement is not None and isinstance(owner, ast.Name | ast.Attribute):
            yield statement.end_lineno or 0, statement.col_offset, ast.unparse(owner), afterwards


def main() -> int:
    """The command."""
    warnings.simplefilter("ignore")
    figures = measure([Path(each) for each in sys.argv[1:]])
    print(f"{figures.files} files, {figures.lines} lines, {figures.seconds / figures.lines * 1e6:.1f} s a million lines")
    print(f"{figures.made} objects made, {figures.followed} followed: {figures.followed / max(figures.made, 1):.1%}")
    print(f"{figures.found} of {figures.inserted} inserted mistakes found: {figures.found / max(figures.inserted, 1):.1%}")
    print(*(f"missed: {each}" for each in figures.missed), sep="\n")
    print(*(f"reported: {each}" for each in figures.reported), sep="\n")
    return int(bool(figures.reported))


if __name__ == "__main__":
    sys.exit(main())
