"""`lifecycle diagram`: diagrams of roles and of recorded runs, and the interactive page."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lifecycle.cli.choosing import role_at
from lifecycle.cli.output import examples, fail, write
from lifecycle.engine import LifecycleError, Role
from lifecycle.roles import ROLES

if TYPE_CHECKING:
    from lifecycle.engine import Record

FORMATS = ("text", "mermaid", "dot", "plantuml", "scxml", "markdown", "svg", "png", "html")

EPILOG = examples(
    "lifecycle diagram server                      to read on a terminal",
    "lifecycle diagram client -o client.svg        the suffix says the format",
    "lifecycle diagram client -f mermaid --highlight connected",
    "lifecycle diagram mypackage.roles:SESSION -f svg > session.svg",
    "lifecycle diagram client --check client.svg   1 if it is not current",
    "lifecycle diagram --html explore.html         an interactive page",
    "lifecycle demo --json | lifecycle diagram --run - -o demo.svg",
)

Value = TypeVar("Value")


@click.command("diagram", epilog=EPILOG, short_help="Draw a role, or a recorded run.")
@click.argument(
    "role",
    metavar="[ROLE]",
    required=False,
    help=f"One of {', '.join(ROLES)}, or your own role: module:NAME or FILE.toml.",
)
@click.option("--format", "-f", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")
@click.option("--output", "-o", metavar="FILE", help="Write to FILE.")
@click.option("--check", metavar="FILE", help="Write nothing; exit with 1 if FILE is out of date.")
@click.option("--html", metavar="FILE", help="Write the interactive page to FILE.")
@click.option("--highlight", metavar="STATE", help="Mark this state as the current one.")
@click.option("--run", metavar="FILE", help="A journal, - for standard input: draw its chart, or mark its path in ROLE.")
@click.option("--object", metavar="NAME", help="Only this object of the run, such as Client#1.")
def diagram(
    role: str | None,
    format: str | None,
    output: str | None,
    check: str | None,
    html: str | None,
    highlight: str | None,
    run: str | None,
    object: str | None,
) -> None:
    """Draw a role from its table, or a recorded run from its journal."""
    if html is not None:
        if output is not None or format not in (None, "html"):
            raise click.BadParameter("already implies -f html and -o: leave those out", param_hint="--html")
        format, output = "html", html
    if check is not None and (output is not None or format in ("png", "html")):
        raise click.BadParameter("compares one text or SVG, and writes nothing: leave -o and -f out", param_hint="--check")
    if object is not None and run is None:
        raise click.BadParameter("needs a run: give one with --run", param_hint="--object")
    if highlight is not None and (role is None or run is not None or format == "html"):
        raise click.BadParameter("needs one role's diagram, without --run", param_hint="--highlight")
    chosen = None if role is None else role_at(role)
    records = None if run is None else _records(run, object)
    format = _format(format, output or check)
    if format == "png" and output is None and sys.stdout.isatty():
        raise click.BadParameter("a terminal cannot show pictures: use -o FILE", param_hint="--format")
    marking = None if highlight is None else "--highlight"
    drawn = _explained(lambda: _drawn(chosen, format, highlight, records), marking)
    if check is not None:
        _compare(check, _as_file(drawn).decode())
    elif output is not None:
        _save(output, _as_file(drawn))
    elif format == "text":
        write(drawn)
    else:  # in UTF-8, so that `> FILE` gives the same as `-o FILE`
        write(_as_file(drawn))


def _format(format: str | None, output: str | None) -> str:
    from lifecycle.diagrams.formats import format_of, unknown_format

    if format is None:
        return "text" if output is None else _explained(lambda: format_of(output, FORMATS), "--output")
    if format.lower() not in FORMATS:
        raise click.BadParameter(str(unknown_format(format, FORMATS)), param_hint="--format")
    return format.lower()


def _drawn(role: Role | None, format: str, highlight: str | None, records: list[Record] | None) -> str | bytes:
    from lifecycle import diagrams
    from lifecycle.diagrams.recorded import RUN_FORMATS

    if format == "html":
        return diagrams.explorer_page(ROLES.values() if role is None else [role], records or ())
    width = _width()
    if role is None:
        if records is None:
            raise click.BadParameter(f"no role given. Known roles: {', '.join(ROLES)}.", param_hint="ROLE")
        if format not in RUN_FORMATS:
            raise click.BadParameter(f"a run has no {format}. Known formats: {', '.join(RUN_FORMATS)}.", param_hint="--format")
        return diagrams.sequence_chart(records, format, width=width)
    if records is not None:
        _check_one_object(role, records)
    marked = highlight if records is None else records
    if format == "png":
        return diagrams.state_png(role, highlight=marked)
    return diagrams.state_diagram(role, format, highlight=marked, width=width)


def _records(path: str, subject: str | None) -> list[Record]:
    from lifecycle.diagrams import read_records

    def read() -> list[Record]:
        if path == "-":
            return read_records(sys.stdin)
        with open(path, encoding="utf-8") as lines:
            return read_records(lines)

    try:
        records = _explained(read, "--run")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise click.BadParameter(f"cannot read {path}: {reason}", param_hint="--run") from None
    known = dict.fromkeys(record.subject for record in records)
    if subject is not None and subject not in known:
        raise click.BadParameter(f"no {subject!r} in the run. Known: {', '.join(known)}.", param_hint="--object")
    return [record for record in records if subject in (None, record.subject)]


def _check_one_object(role: Role, records: list[Record]) -> None:
    """Raise wrong usage if records of several objects would be marked in one diagram."""
    found = dict.fromkeys(record.subject for record in records if record.role == role.name)
    if len(found) > 1:
        raise click.BadParameter(f"has several objects: choose one of {', '.join(found)} with --object", param_hint="--run")


def _explained(act: Callable[[], Value], hint: str | None = None) -> Value:
    """The result of `act`; errors of the diagrams become wrong usage, a missing renderer a failure."""
    from lifecycle.diagrams import NoRenderer

    try:
        return act()
    except NoRenderer as error:
        fail(str(error))
    except LifecycleError as error:
        raise click.BadParameter(str(error), param_hint=hint) from None


def _as_file(drawn: str | bytes) -> bytes:
    return drawn if isinstance(drawn, bytes) else drawn.encode("utf-8", "backslashreplace")


def _compare(path: str, drawn: str) -> None:
    """Exit with 1 if the file is out of date. SVG is current if it was drawn from the same text, by any Graphviz."""
    from lifecycle.diagrams.pictures import digest_of

    try:
        there = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read {path}: {error}")
    if there != drawn and not (digest_of(drawn) and digest_of(there) == digest_of(drawn)):
        fail(f"{path} is out of date: draw it again with -o {path}")


def _save(path: str, drawn: bytes) -> None:
    from lifecycle.system.output import write_whole

    try:
        write_whole(path, drawn)
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}")


def _width() -> int:
    from lifecycle.cli.output import terminal

    return terminal().width
