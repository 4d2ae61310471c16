"""Output of the command: at the terminal's width, plain text when piped, silent when the reader has closed the pipe."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

from lifecycle.system.output import printable_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console, ConsoleOptions, RenderableType

MIN_WIDTH = 40
JSON_VERSION = 1

_READER_IS_GONE = (errno.EPIPE, errno.EINVAL)  # Windows reports EINVAL
_SPACES_AT_LINE_ENDS = re.compile(r"[ ]+$", re.MULTILINE)


def terminal() -> Console:
    """A console that prints into memory with the width and colours of standard output ($COLUMNS, its own width, or 80)."""
    from rich.console import Console  # --json and --help start faster without it
    from rich.segment import Segment

    class Printable(Console):
        """Removes control characters from what it shows, except its own."""

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for each in super().render(renderable, options):
                yield each if each.control else Segment(printable_lines(each.text), each.style)

    real = Console()
    return Printable(
        file=StringIO(),
        force_terminal=real.is_terminal,
        width=max(real.width, MIN_WIDTH),
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def write_parts(*parts: RenderableType, console: Console | None = None) -> None:
    """Write `parts` as terminal() formats them, without trailing spaces; a str is never wrapped."""
    console = console or terminal()
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))
    _write(_encodable(_SPACES_AT_LINE_ENDS.sub("", cast(StringIO, console.file).getvalue())))


def write(text: str | bytes) -> None:
    """Write to standard output; the rest is discarded when the reader has closed the pipe (`lifecycle show | head -1`).

    A character of a text that cannot be printed, or that the output's encoding lacks, is written as its escape.

    Exits with code 1 if the output cannot be written for another reason, such as a full disk.
    """
    _write(text if isinstance(text, bytes) else _encodable(printable_lines(text)))


def _write(text: str | bytes) -> None:
    try:
        if isinstance(text, bytes):
            sys.stdout.buffer.write(text)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _READER_IS_GONE:
            fail_to_write(error)
        _discard_output()


def fail_to_write(error: OSError) -> NoReturn:
    """Exit with code 1 and a line that says why standard output cannot be written."""
    _discard_output()
    click.echo(f"Error: cannot write the output: {error.strerror or error}", err=True)
    sys.exit(1)


def fail(message: str, code: int = 1) -> NoReturn:
    """Exit with `code` after a line on standard error."""
    tell(f"Error: {message}")
    raise click.exceptions.Exit(code)


def tell(text: str) -> None:
    """Write a line to standard error."""
    click.echo(printable_lines(text), err=True)


def write_json(data: Mapping[str, Any]) -> None:
    """Write `data` as indented JSON, with the version of its format: docs/reference has the schemas."""
    write(json.dumps({"version": JSON_VERSION, **data}, indent=2) + "\n")


class HelpFormatter(click.HelpFormatter):
    """Colours headings and terms; click removes the colours if the output is not a terminal."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Part of click."""
        super().write_usage(_styled(prog, bold=True), args, prefix)

    def write_heading(self, heading: str) -> None:
        """Part of click."""
        super().write_heading(_styled(heading, bold=True))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Part of click."""
        super().write_dl([(_styled(term, fg="cyan"), text) for term, text in rows], col_max, col_spacing)


class HelpContext(click.Context):
    """The context of a command, whose help has colours."""

    formatter_class = HelpFormatter


def with_coloured_help(command: click.Command) -> None:
    """Make a command and its subcommands use this help."""
    command.context_class = HelpContext
    for each in getattr(command, "commands", {}).values():
        with_coloured_help(each)


def _styled(text: str, **style: Any) -> str:
    return text if os.environ.get("NO_COLOR") else click.style(text, **style)


def examples(*lines: str) -> str:
    """The epilog of a help text: examples, one per line."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def _encodable(text: str) -> str:
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _discard_output() -> None:
    """Discard the rest of standard output, so that Python's flush at exit does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
