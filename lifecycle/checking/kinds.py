"""The kinds of findings and problems."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class FindingKind(StrEnum):
    """The kind of a finding."""

    ORDER = "order"
    PORTABILITY = "portability"
    LEAK = "leak"
    RACE = "race"
    TLS = "tls"
    LOSS = "loss"
    NOTE = "note"


HEADLINES: Mapping[FindingKind, str] = {
    FindingKind.ORDER: "order error",
    FindingKind.PORTABILITY: "not portable",
    FindingKind.LEAK: "leak",
    FindingKind.RACE: "race",
    FindingKind.TLS: "TLS error",
    FindingKind.LOSS: "loss",
    FindingKind.NOTE: "note",
}
