"""The option `--chart FILE`: checking its suffix and writing the chart."""

from __future__ import annotations

from collections.abc import Iterable

import click

from lifecycle.engine import Record


def check_chart(path: str) -> None:
    """Wrong usage (exit code 2) when charts do not have the suffix of `path`; called before anything runs."""
    from lifecycle.diagrams import UnknownFormat
    from lifecycle.diagrams.formats import format_of
    from lifecycle.diagrams.recorded import RUN_FORMATS

    try:
        format_of(path, RUN_FORMATS)
    except UnknownFormat as error:
        raise click.BadParameter(str(error), param_hint="--chart") from None


def write_chart(records: Iterable[Record], path: str) -> None:
    """Write the chart of a run; exit code 1 and a line that says why when it cannot be written."""
    from lifecycle.diagrams import save_run

    try:
        save_run(records, path)
    except OSError as error:
        click.echo(f"Error: cannot write {path}: {error.strerror}", err=True)
        raise click.exceptions.Exit(1) from None
