"""`lifecycle conform`: an implementation put through the suite of its roles."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifecycle.cli.choosing import chosen_role
from lifecycle.cli.output import examples, render, terminal, write, write_json

if TYPE_CHECKING:
    from lifecycle.conformance.targets import Target
    from lifecycle.engine import Role

EPILOG = examples(
    "lifecycle conform lifecycle                      this package, every cell of every role",
    "lifecycle conform lifecycle --engine reference   the same, every step through transitions",
    "lifecycle conform socket --explained             the standard library, and where the system differs",
    "lifecycle conform gevent                         also aio, trio, memory",
    "lifecycle conform mymodule:MySocket              a class like socket.socket, or an adapter's factory",
    "lifecycle conform lifecycle --mutants            how many faults the suite finds",
)


@click.command("conform", epilog=EPILOG, short_help="Put an implementation through the suite of its roles.")
@click.argument("target", metavar="TARGET", help="lifecycle, aio, socket, gevent, trio, memory, or module:factory.")
@click.option("--role", metavar="ROLE", multiple=True, help="Only this role; may be repeated.")
@click.option(
    "--depth",
    metavar="N",
    type=click.IntRange(1, 3),
    default=2,
    help="1: every cell; 2: every call in every situation; 3: every cell, then every call.",
)
@click.option("--walks", metavar="N", type=click.IntRange(0), default=500, help="Random walks per role, beside the sequences.")
@click.option("--seed", metavar="N", type=int, default=0, help="Of the random walks.")
@click.option("--engine", metavar="ENGINE", help="compiled or reference, for governed objects.")
@click.option("--mutants", is_flag=True, help="Break the package's classes instead, and count what is found.")
@click.option("--explained", is_flag=True, help="List the explained differences, too.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write a JUnit report.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def conform(
    target: str,
    role: tuple[str, ...],
    depth: int,
    walks: int,
    seed: int,
    engine: str | None,
    mutants: bool,
    explained: bool,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Run every call in every state, with every outcome, and some illegal ones, and compare with the roles.

    Exits with 1 where the implementation differs in a way that nothing explains, or a cell was not reached.
    """
    from lifecycle.conformance.targets import UnknownTarget, target_named
    from lifecycle.engine.table import ENGINES

    if engine is not None and engine not in ENGINES:
        raise click.BadParameter(f"no engine {engine!r}; known: {', '.join(ENGINES)}", param_hint="--engine")
    try:
        chosen = target_named(target, engine=engine)
    except UnknownTarget as error:
        raise click.BadParameter(str(error), param_hint="TARGET") from None
    named = dict.fromkeys(chosen_role(name, chosen.roles, where="--role") for name in role)
    roles = tuple(named) or chosen.roles
    if mutants:
        if target != "lifecycle":
            raise click.BadParameter("--mutants breaks the package's own classes: lifecycle", param_hint="TARGET")
        found = _score_mutants(roles, engine, as_json)
    else:
        found = _run_suite(chosen, roles, depth, walks, seed, explained, junit, as_json)
    if found:
        raise click.exceptions.Exit(1)


def _run_suite(
    target: Target,
    roles: tuple[Role, ...],
    depth: int,
    walks: int,
    seed: int,
    explained: bool,
    junit: Path | None,
    as_json: bool,
) -> bool:
    """Run and print; whether something was found."""
    from lifecycle.conformance.campaigns.conform import conform as run
    from lifecycle.conformance.targets import UnknownTarget

    if junit is not None and not junit.parent.is_dir():
        raise click.BadParameter(f"cannot write {junit}: {os.strerror(errno.ENOENT)}", param_hint="--junit")
    try:
        with progress_bar() as show:
            report = run(target, roles, depth=depth, walks=walks, seed=seed, progress=show)
    except UnknownTarget as error:
        raise click.BadParameter(str(error), param_hint="TARGET") from None
    if not report.roles:
        raise click.BadParameter(
            f"{target.name} has none of these roles: {', '.join(role.name for role in roles)}", param_hint="--role"
        )
    if junit is not None:
        from lifecycle.conformance.reports import junit_xml

        try:
            junit.write_text(junit_xml(report), encoding="utf-8")
        except OSError as error:
            raise click.BadParameter(f"cannot write {junit}: {error.strerror}", param_hint="--junit") from None
    if as_json:
        from lifecycle.conformance.reports import conformance_data

        write_json(conformance_data(report))
    else:
        from lifecycle.cli.conform_page import conformance_page

        write(render(terminal(), *conformance_page(report, with_explained=explained)))
    return not report.passes


def _score_mutants(roles: tuple[Role, ...], engine: str | None, as_json: bool) -> bool:
    """Break, count and print; whether a mutant has survived."""
    from lifecycle.conformance.campaigns.mutation import can_be_broken, score_role

    with progress_bar() as show:
        scores = [
            score_role(role, engine=engine, progress=partial(show, role.name)) for role in roles if can_be_broken(role.name)
        ]
    from lifecycle.cli.conform_page import mutants_data, mutants_page

    if as_json:
        write_json(mutants_data(scores))
    else:
        write(render(terminal(), *mutants_page(scores)))
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
