"""`lifecycle doctor`: versions, installed extras, and the features of this system."""

from __future__ import annotations

import platform
import shutil
import socket
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

import click

import lifecycle
from lifecycle.cli.output import examples, write, write_json

DISTRIBUTION = "socket-lifecycle"
EXTRAS = ("aio", "cli", "cluster", "conformance", "cpp", "diagrams", "learn", "ole")
PROGRAMS = {"dot": "draws SVG and PNG", "strace": "for lifecycle trace", "openssl": "makes certificates to test TLS"}
OFFERS: Mapping[str, Callable[[], object]] = {
    "IPv6": lambda: socket.has_ipv6,
    "dual-stack servers": socket.has_dualstack_ipv6,
    "Unix sockets": lambda: hasattr(socket, "AF_UNIX"),
    "free-threaded": lambda: sysconfig.get_config_var("Py_GIL_DISABLED"),
}


@click.command("doctor", epilog=examples("lifecycle doctor", "lifecycle doctor --json"))
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
def doctor(as_json: bool) -> None:
    """Print the data for a bug report: versions, extras, system features."""
    data = {
        "lifecycle": lifecycle.__version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "packages": dict(_packages()),
        "extras": {extra: _missing(extra) for extra in EXTRAS},
        "programs": {name: shutil.which(name) is not None for name in PROGRAMS},
        "offers": {name: bool(asks()) for name, asks in OFFERS.items()},
    }
    if as_json:
        write_json(data)
        return
    write("".join(f"{line}\n" for line in _lines(data)))


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield f"lifecycle {data['lifecycle']} on {data['python']}, {data['system']}"
    for name, found in data["packages"].items():
        yield f"  {name} {found}"
    for extra, missing in data["extras"].items():
        advice = f'not installed ({", ".join(missing)}): pip install "{DISTRIBUTION}[{extra}]"'
        yield f"  extra [{extra}]: {advice if missing else 'installed'}"
    for name, is_there in data["programs"].items():
        yield f"  program {name} ({PROGRAMS[name]}): {'found' if is_there else 'not found'}"
    for name, is_there in data["offers"].items():
        yield f"  {name}: {'yes' if is_there else 'no'}"


def _requirements() -> Iterator[tuple[str, str]]:
    """(the name of a required package, its condition)."""
    try:
        for each in requires(DISTRIBUTION) or ():
            needed, _, condition = each.partition(";")
            yield needed.split("[")[0].strip().rstrip("=<>!~.0123456789, "), condition
    except PackageNotFoundError:  # run from source
        return


def _packages() -> Iterator[tuple[str, str]]:
    for name, condition in _requirements():
        if "extra" not in condition:
            yield name, version(name)


def _missing(extra: str) -> list[str]:
    """The packages of an extra that are not installed."""
    missing = []
    for name, condition in _requirements():
        if f"extra == '{extra}'" in condition.replace('"', "'"):
            try:
                version(name)
            except PackageNotFoundError:
                missing.append(name)
    return missing
