"""The command itself: its subcommands, and what holds for all of them.

Exit codes: 0 for a pass, 1 for a finding or a failure, 2 for wrong usage.
"""

from __future__ import annotations

from typing import Annotated

import typer

import lifecycle
from lifecycle.cli import archive, conform, demo, diagram, matrix, roles, run, show
from lifecycle.cli.output import examples, fail_to_write, write

app = typer.Typer(
    name="lifecycle",
    help="The legal order of socket calls, executable.",
    epilog=examples(
        "lifecycle demo           watch a server and a client, and some refusals",
        "lifecycle show server    what a server may do, when, and why not otherwise",
        "lifecycle show --json    all tables as data",
        "lifecycle roles          which tables there are",
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: it is piped, pasted and read at 80 columns
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
demo.add_to(app)
show.add_to(app)
roles.add_to(app)
diagram.add_to(app)
run.add_to(app)
archive.add_to(app)
conform.add_to(app)
matrix.add_to(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        write(f"lifecycle {lifecycle.__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command with the arguments of this process, and exit."""
    try:
        app(prog_name="lifecycle")
    except OSError as error:  # of a help text, which typer prints itself
        fail_to_write(error)
