"""`lifecycle conform`: tests an implementation of sockets with the suite of its roles."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from lifecycle.cli.choosing import chosen_role
from lifecycle.cli.conform_options import what_is_wrong
from lifecycle.cli.output import examples, write, write_json, write_parts

if TYPE_CHECKING:
    from lifecycle.cli.supervised import Supervised
    from lifecycle.conformance.campaigns.conform import Conformance
    from lifecycle.conformance.campaigns.jobs import Chosen
    from lifecycle.conformance.targets import Target
    from lifecycle.engine import Role

EPILOG = examples(
    "lifecycle conform lifecycle                      this package, every cell of every role",
    "lifecycle conform lifecycle --engine reference   the same, every step through transitions",
    "lifecycle conform socket --explained             the standard library, and where the system differs",
    "lifecycle conform gevent                         also aio, trio, memory",
    "lifecycle conform mymodule:MySocket              a class like socket.socket, or an adapter's factory",
    "lifecycle conform agent:./my_agent               a program in any language that makes the calls",
    "lifecycle conform agent --source c               such a program, to begin with",
    "lifecycle conform lifecycle --mutants            how many faults the suite finds",
)


@click.command("conform", epilog=EPILOG, short_help="Test an implementation of sockets against the roles.")
@click.argument(
    "target", metavar="TARGET", help="lifecycle, aio, socket, gevent, trio, memory, module:factory, or agent:COMMAND."
)
@click.option("--role", metavar="ROLE", multiple=True, help="Only this role; may be repeated.")
@click.option(
    "--depth",
    metavar="N",
    type=click.IntRange(1, 3),
    default=2,
    help="1: every cell; 2: every call in every situation; 3: every cell, then every call.",
)
@click.option("--walks", metavar="N", type=click.IntRange(0), default=500, help="Additional random walks per role.")
@click.option("--seed", metavar="N", type=int, default=0, help="The seed of the random walks.")
@click.option("--like", metavar="SYSTEM", help="linux, winsock, mfc or contract: the expected answers to illegal calls.")
@click.option("--host", metavar="ADDRESS", help="The IPv4 address of this machine to bind sockets to.")
@click.option("--seconds", metavar="N", type=click.FloatRange(0, min_open=True), help="The time limit of the run.")
@click.option(
    "--campaign",
    metavar="HOURS",
    type=click.FloatRange(0, min_open=True),
    help="Run long walks and machines.",
)
@click.option("--workers", metavar="N", type=click.IntRange(1), help="For a campaign: the number of processes on this machine.")
@click.option("--scheduler", metavar="ADDRESS", help="For a campaign: the address of a Dask scheduler.")
@click.option(
    "--folder",
    metavar="DIR",
    default="campaign",
    type=click.Path(path_type=Path),
    help="The folder of a campaign.",
)
@click.option("--baseline", metavar="FILE", type=click.Path(path_type=Path), help="Accept the causes in FILE.")
@click.option("--write-baseline", metavar="FILE", type=click.Path(path_type=Path), help="Write the causes that were found.")
@click.option("--engine", metavar="ENGINE", help="compiled or reference, for governed objects.")
@click.option("--mutants", is_flag=True, help="Break the package's classes instead, and count what is found.")
@click.option("--explained", is_flag=True, help="List explained differences too.")
@click.option("--source", metavar="LANGUAGE", help="For the target `agent`: print an agent in c, go, java or node.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write a JUnit report.")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a page.")
@click.option("--github", is_flag=True, help="Print one annotation per cause, for GitHub.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def conform(
    context: click.Context,
    target: str,
    role: tuple[str, ...],
    depth: int,
    walks: int,
    seed: int,
    like: str | None,
    host: str | None,
    seconds: float | None,
    campaign: float | None,
    workers: int | None,
    scheduler: str | None,
    folder: Path,
    baseline: Path | None,
    write_baseline: Path | None,
    engine: str | None,
    mutants: bool,
    explained: bool,
    source: str | None,
    junit: Path | None,
    html: Path | None,
    github: bool,
    as_json: bool,
) -> None:
    """Run every call in every state, with every outcome, and some illegal ones, and compare with the roles.

    Exits with 1 if there is an unexplained difference, or a cell was not reached.
    """
    from lifecycle.cli.supervised import ENDED, PASSED, RUNS
    from lifecycle.conformance.agents.adapter import SOURCES, source_of
    from lifecycle.conformance.campaigns.jobs import Chosen
    from lifecycle.conformance.driving.watchdog import WATCHDOG
    from lifecycle.conformance.targets import LIKE, UnknownTarget, target_named

    shared: Supervised | None = cast(Any, context.obj)() if callable(context.obj) else None
    if shared is not None:
        WATCHDOG.beat = shared.beat
        context.call_on_close(lambda: shared.mark(ENDED))
    from lifecycle.engine.table import ENGINES

    _refuse_what_does_not_go_together(context)
    if source is not None:
        if target != "agent" or source not in SOURCES:
            text = f"lifecycle conform agent --source LANGUAGE; languages: {', '.join(SOURCES)}"
            raise click.BadParameter(text, param_hint="--source")
        write(source_of(source))
        if shared is not None:
            shared.mark(PASSED)
        return

    if engine is not None and engine not in ENGINES:
        raise click.BadParameter(f"no engine {engine!r}; known: {', '.join(ENGINES)}", param_hint="--engine")
    if like is not None and like not in LIKE:
        raise click.BadParameter(f"no system {like!r}; known: {', '.join(LIKE)}", param_hint="--like")
    try:
        chosen = target_named(target, engine=engine, like=like, host=host)
    except UnknownTarget as error:
        raise click.BadParameter(str(error), param_hint="TARGET") from None
    named = dict.fromkeys(chosen_role(name, chosen.roles, where="--role") for name in role)
    roles = tuple(named) or chosen.roles
    if mutants:
        if target != "lifecycle":
            raise click.BadParameter("--mutants breaks the package's own classes: lifecycle", param_hint="TARGET")
        found = _score_mutants(roles, engine, as_json)
    else:
        if shared is not None:
            shared.mark(RUNS)
        forms = Forms(explained, junit, html, github, as_json, baseline, write_baseline)
        if campaign is None:
            found = _run_suite(chosen, roles, forms, depth=depth, walks=walks, seed=seed, seconds=seconds)
        else:
            what = Chosen(target, engine, like, host)
            run = partial(_campaign, what, hours=campaign, folder=folder, workers=workers, scheduler=scheduler)
            found = _run_suite(chosen, roles, forms, run=run)
    if found:
        raise click.exceptions.Exit(1)
    if shared is not None:
        shared.mark(PASSED)


def _refuse_what_does_not_go_together(context: click.Context) -> None:
    given = [
        option.opts[0].removeprefix("--")
        for option in context.command.params
        if isinstance(option, click.Option)
        and option.name is not None
        and context.get_parameter_source(option.name) is not ParameterSource.DEFAULT
    ]
    wrong = what_is_wrong(given)
    if wrong:
        raise click.UsageError(wrong)


@dataclass(frozen=True, slots=True)
class Forms:
    """The formats in which a report is printed and written, and the causes it accepts."""

    explained: bool
    junit: Path | None
    html: Path | None
    github: bool
    as_json: bool
    baseline: Path | None
    write_baseline: Path | None


def _campaign(
    what: Chosen,
    target: Target,
    roles: tuple[Role, ...],
    *,
    hours: float,
    folder: Path,
    workers: int | None,
    scheduler: str | None,
    progress: Any,
) -> Conformance:
    """Run a campaign on this machine or over a scheduler."""
    from lifecycle.conformance.campaigns.campaign import BadCampaign, NoScheduler, local_workers, run_campaign, workers_of

    count = workers or os.cpu_count() or 1
    try:
        executing = local_workers(count) if scheduler is None else workers_of(scheduler)
        at_once = 2 * count if scheduler is None else 64
        names = [role.name for role in roles]
        return run_campaign(what, names, hours=hours, folder=folder, executing=executing, at_once=at_once, progress=progress)
    except ModuleNotFoundError as error:
        if error.name != "distributed":
            raise
        raise click.UsageError('--scheduler needs distributed: pip install "socket-lifecycle[cluster]"') from None
    except NoScheduler as error:
        raise click.BadParameter(str(error), param_hint="--scheduler") from None
    except BadCampaign as error:
        raise click.BadParameter(str(error), param_hint="--folder") from None


def _run_suite(target: Target, roles: tuple[Role, ...], forms: Forms, *, run: Any = None, **how: Any) -> bool:
    """Run and print; return whether something was found."""
    from lifecycle.conformance.campaigns.baseline import accept_known, write_baseline
    from lifecycle.conformance.campaigns.conform import conform as run_all
    from lifecycle.conformance.reports import conformance_data, github_annotations, html_page, junit_xml
    from lifecycle.conformance.targets import UnknownTarget
    from lifecycle.system.output import write_whole

    for option, file in (("--junit", forms.junit), ("--html", forms.html), ("--write-baseline", forms.write_baseline)):
        if file is not None and not file.parent.is_dir():
            raise click.BadParameter(f"cannot write {file}: {os.strerror(errno.ENOENT)}", param_hint=option)
    known = _known_in(forms.baseline)
    try:
        with progress_bar() as progress, stopping_at_signals(), keeping_output():
            report = (run or run_all)(target, roles, progress=progress, **how)
    except UnknownTarget as error:
        raise click.BadParameter(str(error), param_hint="TARGET") from None
    if not report.roles and not report.stopped:
        raise click.BadParameter(
            f"{target.name} has none of these roles: {', '.join(role.name for role in roles)}", param_hint="--role"
        )
    file = None
    try:
        if forms.write_baseline is not None:
            file = forms.write_baseline
            write_baseline(report, file)  # before any is accepted: what is known is still found
        accept_known(report, known)
        for option_file, form in ((forms.junit, junit_xml), (forms.html, html_page)):
            if option_file is not None:
                file = option_file
                write_whole(file, form(report))
    except OSError as error:
        where = "--junit" if file is forms.junit else "--html" if file is forms.html else "--write-baseline"
        raise click.BadParameter(f"cannot write {file}: {error.strerror}", param_hint=where) from None
    if forms.as_json:
        write_json(conformance_data(report))
    elif forms.github:
        write("".join(f"{line}\n" for line in github_annotations(report)))
    else:
        from lifecycle.cli.conform_page import conformance_page

        write_parts(*conformance_page(report, with_explained=forms.explained))
    return not report.passes


def _known_in(file: Path | None) -> frozenset[tuple[str, ...]]:
    """The causes that a baseline accepts."""
    from lifecycle.conformance.campaigns.baseline import BadBaseline, read_baseline

    if file is None:
        return frozenset()
    try:
        return read_baseline(file)
    except BadBaseline as error:
        raise click.BadParameter(str(error), param_hint="--baseline") from None
    except OSError as error:
        raise click.BadParameter(f"cannot read {file}: {error.strerror}", param_hint="--baseline") from None


@contextmanager
def keeping_output() -> Iterator[None]:
    """Restore standard output and error, whatever an implementation has done with them."""
    streams, numbers = (sys.stdout, sys.stderr), []
    with suppress(OSError):  # they are closed already
        numbers = [(number, os.dup(number)) for number in (1, 2)]
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        for number, kept in numbers:
            os.dup2(kept, number)
            os.close(kept)


@contextmanager
def stopping_at_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the run after the current step, with a partial report; a second Ctrl-C ends the program."""
    from lifecycle.conformance.driving.watchdog import WATCHDOG

    def stop(number: int, frame: object) -> None:
        WATCHDOG.stopped = f"stopped by {signal.Signals(number).name}"
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    WATCHDOG.handles_interrupts = True
    try:
        yield
    finally:
        WATCHDOG.handles_interrupts = False
        for number, handler in before.items():
            signal.signal(number, handler)


def _score_mutants(roles: tuple[Role, ...], engine: str | None, as_json: bool) -> bool:
    """Break, count and print; return whether a mutant has survived."""
    from lifecycle.conformance.campaigns.mutation import can_be_broken, score_role

    with progress_bar() as progress:
        scores = [
            score_role(role, engine=engine, progress=partial(progress, role.name)) for role in roles if can_be_broken(role.name)
        ]
    from lifecycle.cli.conform_page import mutants_data, mutants_page

    if as_json:
        write_json({"roles": mutants_data(scores)})
    else:
        write_parts(*mutants_page(scores))
    return any(each.survivors for each in scores)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error where that is a terminal: called with (what is running, how much is done, of how much)."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("")

        def show(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield show
