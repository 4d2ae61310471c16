"""`lifecycle matrix`: measures the answers of this system to each call in each state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from lifecycle.cli.conform import progress_bar
from lifecycle.cli.output import examples, write_json, write_parts

EPILOG = examples(
    "lifecycle matrix                        every family and kind, in about a second",
    "lifecycle matrix --family inet --kind stream",
    "lifecycle matrix --diff linux           beside the shipped table of Linux, and the contract",
    "lifecycle matrix --diff winsock         where this system and Winsock differ",
    "lifecycle matrix --json > this-machine.json",
    "lifecycle matrix agent:./agent --diff linux   what a program's sockets answer, beside Linux",
)


PLATFORMS = ("linux", "winsock")
FAMILIES = ("inet", "inet6", "unix")
KINDS = ("stream", "seqpacket", "dgram")


@contextmanager
def _sockets_of(target: str | None) -> Iterator[Any]:
    """The adapter of a target with sockets; None for this machine's system."""
    from lifecycle.conformance.adapters.sockets import SocketAdapter
    from lifecycle.conformance.driving.watchdog import Hangs
    from lifecycle.conformance.targets import UnknownTarget, target_named

    if target is None:
        yield None
        return
    adapter = None
    try:
        adapter = target_named(target).adapter()
        if not isinstance(adapter, SocketAdapter):
            raise click.BadParameter(f"{target} is not made of sockets", param_hint="TARGET")
        yield adapter
    except UnknownTarget as error:
        raise click.BadParameter(str(error), param_hint="TARGET") from None
    except Hangs as error:
        raise click.BadParameter(f"{target} cannot be measured: {str(error) or 'it hangs'}", param_hint="TARGET") from None
    finally:
        if adapter is not None:
            adapter.close()


@click.command("matrix", epilog=EPILOG, short_help="Measure this system's answer to every call in every state.")
@click.argument(
    "target", metavar="[TARGET]", required=False, help="Sockets other than the system's, as for `lifecycle conform`."
)
@click.option("--diff", type=click.Choice(PLATFORMS), help="Show only differences from a shipped table, and from the contract.")
@click.option("--family", type=click.Choice(FAMILIES), help="Only this family.")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind.")
@click.option("--json", "as_json", is_flag=True, help="Print the cells, or the differences, as JSON.")
def matrix(target: str | None, diff: str | None, family: str | None, kind: str | None, as_json: bool) -> None:
    """Measure every call in every state on this machine, one fresh socket each, over the loopback interface.

    With --diff, exits with 1 if there is an unexplained difference from the shipped table.
    """
    from lifecycle.conformance.campaigns.compare_platforms import compared_with
    from lifecycle.conformance.campaigns.measure import OF_OTHERS, PAIRS, measure

    known = PAIRS if target is None else (("inet", "stream"), ("inet", "dgram"))
    pairs = tuple(
        (its_family, its_kind) for its_family, its_kind in known if family in (None, its_family) and kind in (None, its_kind)
    )
    with progress_bar() as progress, _sockets_of(target) as adapter:
        how: Any = {} if adapter is None else {"calls": tuple(OF_OTHERS), "new": adapter.new}
        measured = measure(pairs, progress=lambda done, total: progress("cells", done, total), **how)
    if not measured:
        raise click.BadParameter("this system has no such sockets", param_hint="--family")
    if diff is None:
        from lifecycle.cli.matrix_page import matrix_data, matrix_page

        if as_json:
            write_json({"cells": matrix_data(measured)})
        else:
            write_parts(*matrix_page(measured))
        return
    from lifecycle.cli.matrix_page import comparison_data, comparison_page

    comparison = compared_with(measured, diff, is_systems=target is None)
    if as_json:
        write_json(comparison_data(comparison))
    else:
        write_parts(*comparison_page(comparison))
    if comparison.unexplained:
        raise click.exceptions.Exit(1)
