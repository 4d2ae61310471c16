"""How the command prints: at the terminal's width, without colour and ornament when piped, and quiet when nobody reads on."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from io import StringIO
from typing import TYPE_CHECKING, NoReturn, cast

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

MIN_WIDTH = 40

_READER_IS_GONE = (errno.EPIPE, errno.EINVAL)  # Windows tells it as EINVAL
_SPACES_AT_LINE_ENDS = re.compile(r"[ ]+$", re.MULTILINE)


def terminal() -> Console:
    """A console that prints into memory as standard output would have it: $COLUMNS or its own width or 80, and its colours."""
    from rich.console import Console  # whoever asks for JSON or help starts faster without it

    real = Console()
    return Console(
        file=StringIO(),
        force_terminal=real.is_terminal,
        width=max(real.width, MIN_WIDTH),
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def render(console: Console, *parts: RenderableType) -> str:
    """The text of `parts` as terminal() shows them, without spaces at the ends of lines; a str is never wrapped."""
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))
    return _SPACES_AT_LINE_ENDS.sub("", cast(StringIO, console.file).getvalue())


def write(text: str | bytes) -> None:
    """Write to standard output, bytes as they are; quietly nothing when its reader has gone (`lifecycle show | head -1`).

    A letter that the output's encoding has not is written as its escape.

    Exits with code 1 when the text cannot be written for another reason, as on a full disk.
    """
    try:
        if isinstance(text, bytes):
            sys.stdout.buffer.write(text)
        else:
            sys.stdout.write(_encodable(text))
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in _READER_IS_GONE:
            fail_to_write(error)
        _discard_output()


def fail_to_write(error: OSError) -> NoReturn:
    """Exit with code 1, telling why standard output cannot be written."""
    _discard_output()
    click.echo(f"Error: cannot write the output: {error.strerror}", err=True)
    sys.exit(1)


def write_json(data: object) -> None:
    """Write `data` as indented JSON."""
    write(json.dumps(data, indent=2) + "\n")


def examples(*lines: str) -> str:
    """The end of a help text that shows examples, one a line."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def _encodable(text: str) -> str:
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _discard_output() -> None:
    """Send the rest of standard output nowhere, so that Python's own flush at exit does not fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
