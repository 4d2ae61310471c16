"""The shipped tables as they were measured, each answer in full."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

PLATFORMS = ("linux",)
"""the systems whose full table is shipped"""

CellKey = tuple[str, str, str, str]
"""(family, kind, state, call)"""


@cache
def shipped_results(platform: str) -> Mapping[CellKey, str]:
    """(family, kind, state, call) -> the answer, as in the table of `platform`; KeyError for one that has none."""
    if platform not in PLATFORMS:
        raise KeyError(platform)
    with (files("lifecycle.platforms") / f"{platform}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return MappingProxyType({(row["family"], row["kind"], row["state"], row["call"]): row["result"] for row in rows})
