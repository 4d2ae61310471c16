"""The matrices: the answers of real systems to calls in each state, measured or documented, from this package's data.

linux.csv was measured with raw calls on non-blocking descriptors under Linux 6.18, one fresh socket per cell; winsock.csv
under Wine 8.0, with the documented answer of Windows in addition if Wine is known to differ; mfc.csv with Microsoft's own
release builds of MFC 14 and 9, over Wine's Winsock. documented.csv has statements of manual pages, POSIX and public reports on
systems that were not measured.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from types import MappingProxyType


class Mark(Enum):
    """The evidence for an answer: measured by a program, documented, or unknown."""

    MEASURED = "measured"
    DOCUMENTED = "documented"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer. `answer` is "ok", "blocks", or the name of the error (of MFC also TRUE and the like, `note` what more
    happens); `source` says where it is from, `mark` whether it was measured or is documented."""

    family: str
    kind: str
    state: str
    call: str
    answer: str
    source: str
    mark: Mark = Mark.MEASURED
    note: str = ""


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
        mark = Mark.DOCUMENTED if documented else Mark.MEASURED
        key = row["kind"], row["state"], row["call"]
        cells[key] = Cell("inet", *key, answer, source, mark)
    return MappingProxyType(cells)


@cache
def winsock_results() -> Mapping[tuple[str, str, str], Mapping[str, str]]:
    """(kind, state, call) -> where -> the answer there, with the names of Linux's table.

    "wine" is the measured answer; "windows" the documented one, if it is known to differ.
    """
    return MappingProxyType(
        {
            (row["kind"], row["state"], row["call"]): {
                where: _as_linux_says(row["call"], answer)
                for where, answer in (("wine", row["result"]), ("windows", row["windows_if_different"]))
                if answer
            }
            for row in rows_of("winsock")
        }
    )


def _as_linux_says(call: str, answer: str) -> str:
    error = _winsock_answer(answer).removeprefix("WSA")
    if error == "ok" and call.startswith("recv") and answer.startswith("ok "):
        return answer.replace(" ", ":")
    return "would-block" if error == "blocks" else error


@cache
def mfc() -> Mapping[tuple[str, str, str], Cell]:
    """(class, state, call) -> what MFC's release build answers; the classes are CSocket and CAsyncSocket."""
    source = "measured with mfc140u 14.29 and mfc90u 9.0 under Wine 8.0"
    return MappingProxyType(
        {
            (row["class"], row["state"], row["call"]): Cell(
                "inet", row["class"], row["state"], row["call"], row["answer"], source, Mark.MEASURED, row["note"]
            )
            for row in rows_of("mfc")
        }
    )


@cache
def notifications() -> Mapping[tuple[str, str, str], str]:
    """(class, state, call) -> the notifications that MFC delivered during the call and the 25 ms after it, in their order.

    R is OnReceive, W OnSend, O OnOutOfBandData, A OnAccept, C OnConnect, X OnClose; the number is that of the object, and
    the error follows a colon.
    """
    return MappingProxyType({(row["class"], row["state"], row["call"]): row["notifications"] for row in rows_of("mfc")})


@cache
def documented() -> Mapping[tuple[str, str, str, str], Cell]:
    """(system, kind, state, call) -> the documented answers of "macos" and "freebsd", with the names of Linux's table."""
    return MappingProxyType(
        {
            (row["system"], row["kind"], row["state"], row["call"]): Cell(
                "inet", row["kind"], row["state"], row["call"], row["answer"], row["source"], Mark.DOCUMENTED
            )
            for row in rows_of("documented")
        }
    )


def _linux_answer(result: str) -> str:
    if result.startswith("ok") or result == "EINPROGRESS":
        return "ok"
    return "blocks" if result == "would-block" else result.removesuffix("+SIGPIPE")


def _winsock_answer(result: str) -> str:
    error = re.search(r"WSA\w+", result)
    if error is None or "in practice ok" in result or "may be retried" in result:
        return "ok"
    return "blocks" if error[0] == "WSAEWOULDBLOCK" else error[0]
