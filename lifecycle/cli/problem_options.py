"""The options of the commands that find problems, and the problems that a baseline leaves to report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lifecycle.cli.output import fail

if TYPE_CHECKING:
    from lifecycle.checking.formats.problems import Problem

Command = TypeVar("Command", bound=Callable[..., None])

FILE = click.Path(path_type=Path, dir_okay=False)
FORMATS = ("text", "json", "github", "sarif", "junit")

format_option = click.option("--output-format", type=click.Choice(FORMATS), default="text", help="The format of the problems.")
output_option = click.option(
    "--output", metavar="FILE", type=FILE, help="Write the problems to this file instead of standard error."
)


def baseline_options(command: Command) -> Command:
    """Give a command --baseline and --write-baseline."""
    write = click.option(
        "--write-baseline", metavar="FILE", type=FILE, help="Write the present problems to this file, and pass."
    )
    read = click.option("--baseline", metavar="FILE", type=FILE, help="Report only problems that are not in this file.")
    return read(write(command))


def problems_to_report(problems: list[Problem], baseline: Path | None, write_baseline: Path | None) -> list[Problem]:
    """The problems that are not in the baseline; none if they become the baseline.

    Exits with 2 if a file cannot be written, or is not a baseline.
    """
    from lifecycle.checking.formats import problems as found

    if write_baseline is not None:
        try:
            found.write_baseline(write_baseline, problems)
        except OSError as error:
            fail(f"cannot write {write_baseline}: {error.strerror}", 2)
        problems = []
    try:
        return problems if baseline is None else found.new_problems(baseline, problems)
    except OSError as error:
        fail(f"cannot read {baseline}: {error.strerror}", 2)
    except ValueError as error:
        fail(str(error), 2)
