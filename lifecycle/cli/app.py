"""The command itself, with its subcommands and their common behaviour.

Exit codes: 0 for a pass, 1 for a finding or a failure, 2 for wrong usage.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import click

import lifecycle
from lifecycle.cli.output import examples, fail_to_write, with_coloured_help
from lifecycle.cli.supervised import supervised
from lifecycle.system.output import printable_lines

SUBCOMMANDS = {
    "demo": "demo",
    "show": "show",
    "roles": "show",
    "types": "types",
    "diagram": "diagram",
    "run": "run",
    "trace": "trace",
    "lint": "lint",
    "explain": "lint",
    "archive": "archive",
    "conform": "conform",
    "learn": "learn",
    "matrix": "matrix",
    "doctor": "doctor",
}
"""subcommand, in the order of the help text -> the module of this folder that has it under its name"""


class Subcommands(click.Group):
    """A group that imports a subcommand when it is called, or its help is shown: most calls need one of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Part of click."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Part of click."""
        if cmd_name in SUBCOMMANDS and cmd_name not in self.commands:
            command: click.Command = getattr(import_module(f"lifecycle.cli.{SUBCOMMANDS[cmd_name]}"), cmd_name)
            with_coloured_help(command)
            self.add_command(command)
        return super().get_command(ctx, cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Part of click."""
        with _errors_in_printable_characters():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Part of click; a subcommand's options are read here, too."""
        with _errors_in_printable_characters():
            return super().invoke(ctx)


@contextmanager
def _errors_in_printable_characters() -> Iterator[None]:
    """Escapes unprintable characters in errors, which quote arguments, file names and contents of files."""
    try:
        yield
    except click.ClickException as error:
        vars(error)["message"] = printable_lines(error.message)  # which click declares final, and formats later
        raise


@click.group(
    "lifecycle",
    cls=Subcommands,
    epilog=examples(
        "lifecycle demo           run a server and a client, and some refused calls",
        "lifecycle show server    the calls of a server, and why others are refused",
        "lifecycle show --json    all tables as JSON",
        "lifecycle roles          a list of the roles",
    ),
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(lifecycle.__version__, message="lifecycle %(version)s", help="Print the version and exit.")
def app() -> None:
    """The legal order of socket calls, executable."""


with_coloured_help(app)


def main() -> None:
    """Run the command with the arguments of this process, and exit."""
    try:
        app(prog_name="lifecycle", obj=supervised)
    except OSError as error:  # of a help text, which click prints itself
        fail_to_write(error)
