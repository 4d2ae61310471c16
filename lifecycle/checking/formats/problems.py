"""A problem at a line of a file, and how it is silenced: by a comment, the project's settings, or a baseline."""

from __future__ import annotations

import json
import tokenize
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from lifecycle.checking.formats.codes import Code, code_named
from lifecycle.system.output import write_whole

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem.

    message: what happened, in one line. advice: why, and what to do, a sentence or two per line. must: it is certain, rather
    than so on some paths only.
    """

    code: str
    kind: str
    file: str
    line: int
    column: int
    message: str
    advice: tuple[str, ...] = ()
    must: bool = True

    @property
    def meaning(self) -> Code:
        """The meaning of its code."""
        code = code_named(self.code)
        assert code is not None
        return code

    @property
    def path(self) -> str:
        """The file relative to the working directory where it lies below it."""
        return shown_path(self.file)

    def fingerprint(self) -> str:
        """An identification that stays the same when lines are added above: the file, the code and the text of the line."""
        return f"{self.path}: {self.code}: {source_line(self.file, self.line).strip()}"

    def as_data(self) -> dict[str, Any]:
        """The problem for JSON."""
        return asdict(self) | {"file": self.path, "title": self.meaning.title}


def shown_path(file: str) -> str:
    """The file relative to the working directory where it lies below it."""
    try:
        return str(Path(file).absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):  # it lies elsewhere, or the working directory was removed
        return file


@cache
def _lines(file: str) -> tuple[str, ...]:
    try:
        with tokenize.open(file) as source:
            return tuple(source)
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ()


def source_line(file: str, line: int) -> str:
    """The text of a line, or "" where it cannot be read."""
    lines = _lines(file)
    return lines[line - 1].rstrip("\n") if 0 < line <= len(lines) else ""


def is_ignored_by_comment(problem: Problem) -> bool:
    """Whether the line has a comment `# lifecycle: ignore`, or `# lifecycle: ignore[LC101]` with the problem's code."""
    _, mark, rest = source_line(problem.file, problem.line).partition("# lifecycle: ignore")
    if not mark:
        return False
    codes = rest.partition("[")[2].partition("]")[0] if rest.startswith("[") else ""
    return not codes or problem.code in {code.strip().upper() for code in codes.split(",")}


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """The table [tool.lifecycle] of pyproject.toml.

    ignore: codes that are not reported. per_path: a pattern of paths, relative to the file's folder -> such codes.
    """

    folder: Path
    ignore: frozenset[str] = frozenset()
    per_path: Mapping[str, frozenset[str]] | None = None

    def ignores(self, problem: Problem) -> bool:
        """Whether the project's settings silence the problem."""
        if problem.code in self.ignore:
            return True
        try:
            path = Path(problem.file).absolute().relative_to(self.folder).as_posix()
        except ValueError:
            return False
        return any(problem.code in codes and fnmatch(path, pattern) for pattern, codes in (self.per_path or {}).items())


def project_settings(start: Path) -> ProjectSettings:
    """The settings of the nearest pyproject.toml at or above `start`; empty ones if there is none.

    Raises ValueError, naming the file, for an invalid table or an unknown code.
    """
    for folder in (start.absolute(), *start.absolute().parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("lifecycle", {})
            if table:
                return _settings_of(table, file)
    return ProjectSettings(start.absolute())


def _settings_of(table: Mapping[str, Any], file: Path) -> ProjectSettings:
    unknown = set(table) - {"ignore", "per-path-ignores"}
    if unknown:
        raise ValueError(f"{file}, [tool.lifecycle]: {', '.join(sorted(unknown))} is not a setting")
    per_path = table.get("per-path-ignores", {})
    for code in (*table.get("ignore", ()), *(code for codes in per_path.values() for code in codes)):
        if code_named(str(code)) is None:
            raise ValueError(f"{file}, [tool.lifecycle]: there is no code {code!r}; `lifecycle explain` lists them")
    return ProjectSettings(
        file.parent, frozenset(table.get("ignore", ())), {pattern: frozenset(codes) for pattern, codes in per_path.items()}
    )


def not_ignored(problems: Iterable[Problem], settings: ProjectSettings) -> list[Problem]:
    """The problems that neither a comment nor the project's settings silence."""
    return [each for each in problems if not is_ignored_by_comment(each) and not settings.ignores(each)]


def write_baseline(file: Path, problems: Iterable[Problem]) -> None:
    """Write the known problems, as a count for each fingerprint."""
    counts: dict[str, int] = {}
    for problem in problems:
        counts[problem.fingerprint()] = counts.get(problem.fingerprint(), 0) + 1
    data = {"version": SCHEMA_VERSION, "known": dict(sorted(counts.items()))}
    write_whole(file, json.dumps(data, indent=2) + "\n")


def new_problems(file: Path, problems: Iterable[Problem]) -> list[Problem]:
    """The problems that are not in a baseline.

    Raises ValueError for a file that is not a baseline of this version.
    """
    data = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("version") != SCHEMA_VERSION or not isinstance(data.get("known"), dict):
        raise ValueError(f"{file} is not a baseline of version {SCHEMA_VERSION}: write it again")
    left = dict(data["known"])
    new = []
    for problem in problems:
        if left.get(problem.fingerprint(), 0) > 0:
            left[problem.fingerprint()] -= 1
        else:
            new.append(problem)
    return new
