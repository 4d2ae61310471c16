"""`lifecycle run`: runs an existing program and checks its socket calls."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from lifecycle.cli.output import examples, fail, tell
from lifecycle.cli.problem_options import baseline_options, format_option, output_option

EPILOG = examples(
    "lifecycle run server.py --port 8080        a script",
    "lifecycle run -m http.server 8000          a module",
    "lifecycle run --mode enforce client.py     stops at the first mistake",
    "lifecycle run --report found.json app.py   the findings as data",
    "lifecycle run --html calls.html app.py     a page with the charts",
    "lifecycle run --live server.py             a page that shows calls at once",
    "lifecycle run --for linux,macos app.py     not what only Windows refuses",
    "lifecycle run --fail-on leak,order app.py  for continuous integration",
)

WITH_VALUE = (
    "--port",
    "--for", "--mode", "--report", "--chart", "--html", "--connection", "--fail-on", "--output-format", "--output",
    "--baseline", "--write-baseline",
)  # fmt: skip
"""the options that take a value: the program follows the last option"""
NOT_PASSED_ON = ("-I", "-E", "-S")  # with them Python ignores the environment by which the checker is loaded

SYSTEMS = {"windows": "winsock", "linux": "linux", "macos": "macos", "freebsd": "freebsd"}
"""the values of --for -> the names in the platform tables"""

MODES = ("observe", "warn", "enforce")
KINDS = ("order", "portability", "leak", "race", "tls", "loss")
NOTE = "note"
FILE = click.Path(path_type=Path)


class Program(click.Command):
    """A command whose options end where the program to run begins."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Separate the options of the command from the program and its options."""
        place = 0
        while place < len(args) and args[place].startswith("-") and args[place] not in ("-m", "-c", "-", "--"):
            place += 2 if args[place] in WITH_VALUE else 1
        if place < len(args) and args[place] != "--":
            args = [*args[:place], "--", *args[place:]]
        return super().parse_args(ctx, args)


@click.command("run", cls=Program, epilog=EPILOG, short_help="Run a program, and check its socket calls.")
@click.argument(
    "program", metavar="SCRIPT | -m MODULE | -c CODE ...", nargs=-1, required=True, help="The program, with its own arguments."
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default="observe",
    help="observe: only report at the end; warn: also give Python warnings; "
    "enforce: raise IllegalCall before the system is asked.",
)
@click.option(
    "--for",
    "systems",
    metavar="SYSTEM,...",
    callback=lambda context, option, value: _systems(value),
    help=f"The systems to be portable to, of {', '.join(SYSTEMS)}; a call that all of them accept is not reported.",
)
@click.option("--report", metavar="FILE.json", type=FILE, help="Write the findings as JSON.")
@click.option("--chart", metavar="FILE", type=FILE, help="Write the sequence charts: .svg, .mmd (Mermaid), or else text.")
@click.option("--html", metavar="FILE", type=FILE, help="Write a page with the findings and the charts.")
@click.option(
    "--connection",
    metavar="N",
    type=click.IntRange(1),
    help="Chart the Nth connection only, in the order in which they began.",
)
@click.option("--strict", is_flag=True, help="Also report notes: illegal calls whose error the program handles.")
@click.option(
    "--fail-on",
    metavar="KIND,...",
    callback=lambda context, option, value: _kinds(value),
    help="Exit with 1, instead of the program's own code, if there is a finding of these kinds.",
)
@click.option("--exit-code", is_flag=True, help="The same for a finding of any kind.")
@format_option
@output_option
@baseline_options
@click.option("--all", "shows_all", is_flag=True, help="Show every place in the summary, even if there are many.")
@click.option("--live", is_flag=True, help="Serve a page that shows the calls as they happen, and print its address.")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="The port of that page; 0: any free port.")
@click.option("--quiet", "-q", is_flag=True, help="Print no summary at the end.")
def run(
    program: tuple[str, ...],
    mode: str,
    systems: tuple[str, ...],
    report: Path | None,
    chart: Path | None,
    html: Path | None,
    connection: int | None,
    strict: bool,
    fail_on: tuple[str, ...],
    exit_code: bool,
    output_format: str,
    output: Path | None,
    baseline: Path | None,
    write_baseline: Path | None,
    shows_all: bool,
    live: bool,
    port: int,
    quiet: bool,
) -> None:
    """Run a program, its children included, and check the order of its socket calls.

    The program keeps its own arguments, exit code and signals. The summary is printed on standard error at its end.
    """
    from lifecycle.checking.settings import Mode, Settings, environment

    files = {"--report": report, "--chart": chart, "--html": html, "--output": output, "--write-baseline": write_baseline}
    for option, file in files.items():
        if file is not None and not file.absolute().parent.is_dir():
            folder = str(file.absolute().parent)
            raise click.BadParameter(f"there is no folder {folder!r} to write {file.name!r} into", param_hint=option)
    settings = Settings(
        mode=Mode(mode),
        quiet=quiet,
        report=_absolute(report),
        chart=_absolute(chart),
        html=_absolute(html),
        connection=connection,
        systems=systems,
        strict=strict,
        fail_on=KINDS if exit_code else fail_on,
        output_format=output_format,
        output=_absolute(output),
        baseline=_absolute(baseline),
        write_baseline=_absolute(write_baseline),
        start=os.getcwd(),
        live=live,
        all=shows_all,
    )
    command, surroundings = [sys.executable, *_flags(), *program], environment(settings, os.environ)
    if live:
        _show_live(command, surroundings, port)
    _become(command, surroundings)


def _systems(value: str | None) -> tuple[str, ...]:
    names = [name.strip() for name in value.split(",")] if value is not None else []
    for name in names:
        if name not in SYSTEMS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(SYSTEMS)}")
    return tuple(SYSTEMS[name] for name in names)


def _kinds(value: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",")) if value is not None else ()
    for name in names:
        if name not in (*KINDS, NOTE):
            raise click.BadParameter(f"{name!r} is not one of {', '.join((*KINDS, NOTE))}")
    return names


def _absolute(file: Path | None) -> str | None:
    return None if file is None else str(file.absolute())


def _flags() -> list[str]:
    """The options of this Python, without those that make it ignore its environment."""
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [flag for flag in flags if flag not in NOT_PASSED_ON]


def _show_live(command: list[str], environment: dict[str, str], port: int) -> NoReturn:
    """Run `command` while serving its page; end as it ends, with the same code or signal."""
    from lifecycle.checking.live_page import LivePage
    from lifecycle.checking.settings import VARIABLE

    folder = Path(environment[VARIABLE])
    try:
        page = LivePage(folder, port)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        fail(f"no page on port {port}: {error.strerror}")
    tell(f"lifecycle: live at {page.address}")
    with subprocess.Popen(command, env=environment) as process:
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            signal.signal(number, lambda number, frame: process.send_signal(number))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the program, too, which decides
        code = process.wait()
    page.close(f"The program has ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}.")
    shutil.rmtree(folder, ignore_errors=True)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    raise SystemExit(code)


def _become(command: list[str], environment: dict[str, str]) -> None:
    """Replace this process with `command`, which gets its signals and sets its exit code."""
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, environment)
    with subprocess.Popen(command, env=environment) as process:  # Windows starts a new process in any case
        while True:
            try:
                raise click.exceptions.Exit(process.wait())
            except KeyboardInterrupt:
                continue  # the program got it too, and decides
