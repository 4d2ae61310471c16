"""`lifecycle lint` and `lifecycle explain`: check source without running it, and explain the codes of problems."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifecycle.cli.output import JSON_VERSION, examples, fail, tell, write, write_json
from lifecycle.cli.problem_options import baseline_options, format_option, problems_to_report

if TYPE_CHECKING:
    from lifecycle.checking.formats.problems import Problem
    from lifecycle.checking.source.constructors import Constructor


@click.command(
    "lint",
    short_help="Check the socket calls of source files without running them.",
    epilog=examples(
        "lifecycle lint src tests                              certain mistakes only",
        "lifecycle lint --may src                              also what is wrong on some paths",
        "lifecycle lint --output-format sarif src > out.sarif  for a code scanner",
        "lifecycle lint --role app.roles:SESSION --class app.session.Session app",
    ),
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--may", is_flag=True, help="Also report calls that are wrong on some paths only.")
@format_option
@baseline_options
@click.option("--role", metavar="MODULE:ROLE", multiple=True, help="Your own role; needs --class.")
@click.option("--class", "classes", metavar="MODULE.NAME", multiple=True, help="The class whose objects have that role.")
@click.option("--statistics", is_flag=True, help="Print at the end how many objects were followed.")
def lint(
    paths: tuple[Path, ...],
    may: bool,
    output_format: str,
    baseline: Path | None,
    write_baseline: Path | None,
    role: tuple[str, ...],
    classes: tuple[str, ...],
    statistics: bool,
) -> None:
    """Follow sockets, asyncio streams and this package's objects through the control flow of each function.

    Exits with 1 if there is a problem, and with 2 if a file cannot be read or parsed.
    """
    from lifecycle.checking.formats import problems as found
    from lifecycle.checking.formats.writers import WRITERS
    from lifecycle.checking.source.problems import problem_of
    from lifecycle.checking.source.reading import python_files, read_file

    if len(role) != len(classes):
        raise click.UsageError("each --role needs one --class, in the same order")
    constructors = _constructors(role, classes)
    try:
        settings = found.project_settings(Path.cwd())
    except ValueError as error:
        fail(str(error), 2)
    readings = [read_file(path, constructors) for path in python_files(paths)]
    problems = [problem_of(each) for reading in readings for each in reading.mistakes if may or each.must]
    problems = problems_to_report(found.not_ignored(problems, settings), baseline, write_baseline)
    unread = [f"{reading.file}: {reading.problem}" for reading in readings if reading.problem]
    write(WRITERS[output_format](problems, unread))
    for each in unread:
        tell(each)
    if output_format == "text":
        click.echo(_summary(problems, len(readings)), err=True)
    if statistics:
        made, followed = (sum(getattr(reading, name) for reading in readings) for name in ("made", "followed"))
        click.echo(f"{made} objects made, {followed} followed", err=True)
    sys.exit(2 if unread else 1 if problems else 0)


def _summary(problems: list[Problem], files: int) -> str:
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}" if problems else "no problems"
    return f"{count} in {files} file{'s' if files != 1 else ''}"


def _constructors(roles: tuple[str, ...], classes: tuple[str, ...]) -> Mapping[str, Constructor]:
    from lifecycle.checking.source.constructors import CONSTRUCTORS, of_role
    from lifecycle.engine import Role

    own = {}
    for place, name in zip(roles, classes, strict=True):
        module, _, attribute = place.partition(":")
        sys.path.insert(0, "")
        try:
            role = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise click.BadParameter(f"{place!r}: {error}", param_hint="--role") from None
        finally:
            del sys.path[0]
        if not isinstance(role, Role):
            raise click.BadParameter(f"{place!r} is not a Role", param_hint="--role")
        own[name] = of_role(role)
    return CONSTRUCTORS | own if own else CONSTRUCTORS  # type: ignore[operator]


@click.command(
    "explain",
    short_help="Explain the code of a problem, and how to fix it.",
    epilog=examples(
        "lifecycle explain LC101", "lifecycle explain          all codes", "lifecycle explain --json   the same as data"
    ),
)
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
def explain(code: str | None, as_json: bool) -> None:
    """Explain a code that `lifecycle lint` or `lifecycle run` reports; without CODE, list all codes."""
    from lifecycle.checking.formats.codes import CODES, code_named

    found = None if code is None else code_named(code)
    if code is not None and found is None:
        fail(f"there is no code {code!r}; `lifecycle explain` lists them", 2)
    codes = (found,) if found else sorted(CODES, key=lambda each: each.name)
    if as_json:
        shown = ("name", "kind", "title", "explanation")
        write_json({"version": JSON_VERSION, "codes": [{name: getattr(each, name) for name in shown} for each in codes]})
    elif found is None:
        write("".join(f"{each.name}  {each.kind:<12} {each.title}\n" for each in codes))
    else:
        write(f"{found.name}: {found.title} ({found.kind})\n\n{click.wrap_text(found.explanation, 78)}\n")
