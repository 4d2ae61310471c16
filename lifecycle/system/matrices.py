"""The measured matrices: what a real system answers to a call in a state, read from this package's data.

linux.csv was measured with raw calls on non-blocking descriptors under Linux 6.18, one fresh socket per cell; winsock.csv
under Wine 8.0, with the documented answer of Windows beside it where Wine is known to differ.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cell:
    """One measured answer. `answer` is "ok", "blocks", or the name of the error; `source` says where it is from."""

    family: str
    kind: str
    state: str
    call: str
    answer: str
    source: str


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """The rows of a table among this package's data."""
    with (files("lifecycle.system") / f"{name}.csv").open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


CellKey = tuple[str, str, str, str]
"""(family, kind, state, call)"""

PLATFORMS = ("linux",)
"""The systems whose full table is shipped."""


@cache
def shipped_results(platform: str) -> Mapping[CellKey, str]:
    """(family, kind, state, call) -> the answer as it was measured, in full; KeyError for a platform without a table."""
    if platform not in PLATFORMS:
        raise KeyError(platform)
    return MappingProxyType(
        {(row["family"], row["kind"], row["state"], row["call"]): row["result"] for row in rows_of(platform)}
    )


@cache
def linux() -> Mapping[CellKey, Cell]:
    """(family, kind, state, call) -> what Linux answered; families inet, inet6 and unix, kinds stream, dgram, seqpacket."""
    cells = (
        Cell(row["family"], row["kind"], row["state"], row["call"], _linux_answer(row["result"]), "measured on Linux 6.18")
        for row in rows_of("linux")
    )
    return MappingProxyType({(cell.family, cell.kind, cell.state, cell.call): cell for cell in cells})


@cache
def winsock() -> Mapping[tuple[str, str, str], Cell]:
    """(kind, state, call) -> what Winsock answers; kinds tcp and udp."""
    cells: dict[tuple[str, str, str], Cell] = {}
    for row in rows_of("winsock"):
        documented = row["windows_if_different"]
        answer = _winsock_answer(documented or row["result"])
        source = row["windows_source"] if documented else "measured under Wine 8.0"
        cells[row["kind"], row["state"], row["call"]] = Cell("inet", row["kind"], row["state"], row["call"], answer, source)
    return MappingProxyType(cells)


def _linux_answer(result: str) -> str:
    if result.startswith("ok") or result == "EINPROGRESS":
        return "ok"
    return "blocks" if result == "would-block" else result.removesuffix("+SIGPIPE")


def _winsock_answer(result: str) -> str:
    error = re.search(r"WSA\w+", result)
    if error is None or "in practice ok" in result or "may be retried" in result:
        return "ok"
    return "blocks" if error[0] == "WSAEWOULDBLOCK" else error[0]
