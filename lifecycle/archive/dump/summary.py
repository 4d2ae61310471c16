"""An unknown archive in a few figures: its classes, its strings, its writer's build, how much of it was identified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from lifecycle.archive.dump.finding import Confidence, Finding, Kind

MOST_LISTED = 1000

PAIRS, LIKELY_CHANCE = 1 << 16, 0.5
"""The number of different pairs of bytes, and of expected coincidental tags from which counts are called estimates."""

_SURE: tuple[Confidence, ...] = (Confidence.CERTAIN, Confidence.LIKELY, Confidence.GUESS)


class Build(StrEnum):
    """How the writer was built, judged by its strings."""

    UNICODE = "unicode"
    ANSI = "ansi"
    BOTH = "both"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ClassFound:
    """A class: its name, its schema number, where it was first described, how often, and the number of its objects.

    estimated: whether that number is an estimate: a tag is two bytes, which also occur by coincidence in a large file.
    """

    name: str
    schema: int
    offset: int
    descriptions: int = 1
    objects: int = 1
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of an archive.

    size and decided: bytes. classes: in the order of their descriptions, at most MOST_LISTED; more_classes: how many are not in
    there. strings: how many of each kind, by confidence.
    """

    size: int
    decided: int
    classes: tuple[ClassFound, ...]
    more_classes: int
    unicode_strings: dict[Confidence, int]
    ansi_strings: dict[Confidence, int]

    @property
    def build(self) -> Build:
        """How the writer was built, judged by its strings; guesses do not count."""
        unicode = self.unicode_strings[Confidence.CERTAIN]
        ansi = self.ansi_strings[Confidence.CERTAIN] + self.ansi_strings[Confidence.LIKELY]
        if unicode and ansi:
            return Build.BOTH
        return Build.UNICODE if unicode else Build.ANSI if ansi else Build.UNKNOWN


def summarize(findings: Iterable[Finding]) -> Summary:
    """The figures of findings, which are not kept."""
    size = decided = more = 0
    classes: dict[tuple[str, int | None], ClassFound] = {}
    latest: dict[str, tuple[str, int | None]] = {}
    strings = {Kind.UNICODE_STRING: Counter[Confidence](), Kind.ANSI_STRING: Counter[Confidence]()}
    for found in findings:
        size += found.length
        decided += 0 if found.kind is Kind.UNDECIDED else found.length
        if found.kind in strings:
            strings[found.kind][found.confidence] += 1
        elif found.kind is Kind.CLASS:
            key = found.text, found.schema
            before = classes.get(key)
            if before is not None:
                classes[key] = replace(before, descriptions=before.descriptions + 1, objects=before.objects + 1)
            elif len(classes) < MOST_LISTED:
                classes[key] = ClassFound(found.text, found.schema or 0, found.offset, estimated="estimated" in found.note)
            else:
                more += 1
                continue
            latest[found.text] = key
        elif found.kind is Kind.OBJECT and found.text in latest:
            of = latest[found.text]
            estimated = classes[of].estimated or found.confidence is not Confidence.CERTAIN
            classes[of] = replace(classes[of], objects=classes[of].objects + 1, estimated=estimated)
    unicode, ansi = ({each: counted[each] for each in _SURE} for counted in strings.values())
    by_chance = (size - decided) * len(classes) / PAIRS >= LIKELY_CHANCE
    listed = tuple(replace(each, estimated=each.estimated and by_chance) for each in classes.values())
    return Summary(size, decided, listed, more, unicode, ansi)
