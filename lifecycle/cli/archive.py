"""`lifecycle archive`: archives in files. `dump` decodes an archive of unknown classes as far as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from lifecycle.cli.archive_classes import classes
from lifecycle.cli.archive_files import Data, opened_bytes
from lifecycle.cli.archive_load import load
from lifecycle.cli.conform import progress_bar
from lifecycle.cli.output import examples, terminal, write

if TYPE_CHECKING:
    from lifecycle.archive.dump.finding import Finding
    from lifecycle.archive.dump.plausible_text import CodePage

AT_ONCE = 500
"""The number of findings printed together."""

LONG = 1 << 20
"""The size in bytes of a file from which on a progress bar is shown."""

DUMP_EPILOG = examples(
    "lifecycle archive dump drawing.dat",
    "lifecycle archive dump --encoding cp1251 old.dat",
    "lifecycle archive dump --json drawing.dat | jq .summary.classes",
    "lifecycle archive dump --stream Contents part.fla",
    "lifecycle archive dump --offset 16 --inflate stream.bin",
    "lifecycle archive dump --layout drawing.dat > drawing.py",
    "lifecycle archive dump - < drawing.dat",
)

EPILOG = examples(
    "lifecycle archive dump drawing.dat           its classes and strings",
    "lifecycle archive dump --json drawing.dat    the same as data",
    "lifecycle archive classes src/               Python classes from sources",
)


@click.group("archive", epilog=EPILOG, short_help="Show the contents of archive files.", no_args_is_help=True)
def archive() -> None:
    """Archives in files, in the format of MFC's CArchive."""


@archive.command("dump", epilog=DUMP_EPILOG, short_help="Show the structure of an archive file.")
@click.argument("file", metavar="FILE", help="The file, or - for standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: summary and findings as a tree, or the layouts.")
@click.option("--encoding", metavar="NAME", default="cp1252", help="The ANSI code page of its strings.")
@click.option("--stream", metavar="NAME", help="Read this stream of an OLE compound file.")
@click.option("--offset", metavar="N", type=click.IntRange(min=0), help="Begin at this byte.")
@click.option("--inflate", is_flag=True, help="Decompress the zlib or gzip data there first.")
@click.option("--layout", is_flag=True, help="Print a Python module with each class's layout.")
@click.option("--all", "everything", is_flag=True, help="Show strings and runs of bytes in full.")
def dump(
    file: str, as_json: bool, encoding: str, stream: str | None, offset: int | None, inflate: bool, layout: bool,
    everything: bool,
) -> None:  # fmt: skip
    """Show the structure of an archive file, as far as its bytes alone show it.

    First its classes and strings, then all findings in order. Archives have no types: undecided bytes are printed in
    hexadecimal with their possible meanings. The contents of a container are decoded.
    """
    from lifecycle.archive.dump.nesting import Nesting
    from lifecycle.archive.dump.plausible_text import suggested
    from lifecycle.archive.dump.scanning import read_findings
    from lifecycle.archive.dump.summary import Build, summarize
    from lifecycle.cli.archive_page import file_json, finding_lines, summary_lines, tree_json

    page, nesting = _code_page(encoding), Nesting()
    with ExitStack() as opened:
        chosen = opened_bytes(file, opened, stream=stream, offset=offset, inflate=inflate)
        data = chosen.data
        if layout:
            write(_layout(data, encoding, as_json=as_json))
            return
        with progress_bar() if len(data) > LONG else nullcontext(_report_nothing) as report:
            summary = summarize(nesting.counted(_watched(read_findings(data, page), len(data), report)))
        findings = read_findings(data, page)
        suggestion = suggested(data, page) if summary.build in (Build.ANSI, Build.UNKNOWN) else None
        if as_json:
            lines = chain((file_json(file, chosen, summary, suggestion),), tree_json(nesting.levels(findings)))
        else:
            width = terminal().width
            lines = chain(
                (f"{line}\n" for line in summary_lines(file, chosen, summary, suggestion)),
                (f"{line}\n" for found in findings for line in finding_lines(found, data, width, everything=everything)),
            )
        while some := "".join(islice(lines, AT_ONCE)):
            write(some)


def _layout(data: Data, encoding: str, *, as_json: bool) -> str:
    from lifecycle.archive.layout import infer, module_source
    from lifecycle.cli.archive_page import layout_json

    layouts = infer(data, encoding=encoding)
    return layout_json(layouts) if as_json else module_source(layouts, encoding=encoding)


def _watched(findings: Iterable[Finding], size: int, report: Callable[[str, int, int], None]) -> Iterator[Finding]:
    """The findings; from time to time `report` is called with the present offset."""
    due = 0
    for found in findings:
        if found.end >= due:
            report("decoding", found.end, size)
            due = found.end + LONG // 16
        yield found


def _report_nothing(what: str, done: int, total: int) -> None:
    pass


def _code_page(encoding: str) -> CodePage:
    from lifecycle.archive.dump.plausible_text import CodePage

    try:
        return CodePage(encoding)
    except LookupError as error:
        raise click.BadParameter(str(error), param_hint="--encoding") from None


archive.add_command(load)
archive.add_command(classes)
