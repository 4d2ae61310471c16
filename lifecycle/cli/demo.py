"""`lifecycle demo`: the reference sequence on real sockets, and refused calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from lifecycle.cli.output import examples, fail, terminal, write, write_parts

if TYPE_CHECKING:
    from lifecycle.engine import Record

EPILOG = examples(
    "lifecycle demo",
    "lifecycle demo --json",
    "lifecycle demo --chart demo.svg",
    "lifecycle demo --html demo.html",
    "lifecycle demo --json | jq -r '[.subject, .call, .outcome] | @tsv'",
)


@click.command("demo", epilog=EPILOG, short_help="Run a server and a client, then one refused call per role.")
@click.option("--json", "as_json", is_flag=True, help="Print the journal of the run, one JSON object per line.")
@click.option("--chart", metavar="FILE", help="Also write the run's chart: .svg, .mmd or .txt, or .html to step through it.")
@click.option("--html", metavar="FILE", help="Write the page to step through the run.")
def demo(as_json: bool, chart: str | None, html: str | None) -> None:
    """Run a server and a client, in two threads over loopback, then show how calls out of order are refused."""
    from lifecycle.cli.demo_programs import ATTEMPTS, Conversation, DemoFailed, refused
    from lifecycle.engine import Journal

    for file, option in ((chart, "--chart"), (html, "--html")):
        if file is not None:
            _check_chart(file, option)
    conversation, refusals, failure = Conversation(), [], None
    with Journal(payloads=True) as journal:
        try:
            conversation.run()
            for attempt in ATTEMPTS:
                refusals.append(refused(attempt))  # noqa: PERF401 - those before a failure are shown
        except (OSError, DemoFailed) as error:
            failure = error
    for file in filter(None, (chart, html)):
        _write_chart(journal.records, file)
    if as_json:
        write("".join(f"{line}\n" for line in journal.lines()))
    else:
        from lifecycle.cli.demo_page import demo_page

        console = terminal()
        write_parts(*demo_page(conversation.lines, refusals, console), console=console)
    if failure is not None:
        fail(str(failure))


def _check_chart(path: str, option: str) -> None:
    """Exit with 2 (wrong usage) if charts do not have the suffix of `path`; called before anything runs."""
    from lifecycle.diagrams import UnknownFormat
    from lifecycle.diagrams.formats import format_of
    from lifecycle.diagrams.recorded import RUN_FORMATS

    try:
        format_of(path, RUN_FORMATS if option == "--chart" else ("html",))
    except UnknownFormat as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _write_chart(records: Iterable[Record], path: str) -> None:
    """Write the chart of a run; exit with 1 and a line that says why if it cannot be written."""
    from lifecycle.diagrams import save_run

    try:
        save_run(records, path)
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}")
