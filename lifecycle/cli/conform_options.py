"""Which options of `lifecycle conform` go together: a table of what each is about, and the errors that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SUITE, CAMPAIGN, MUTANTS, SOURCE = "", "campaign", "mutants", "source"
"""What the command can do, by the option that chooses it; a run of the suite needs none."""

REPORTS = frozenset({SUITE, CAMPAIGN})

ABOUT: Mapping[str, frozenset[str]] = {
    CAMPAIGN: frozenset({CAMPAIGN}),
    MUTANTS: frozenset({MUTANTS}),
    SOURCE: frozenset({SOURCE}),
    "role": REPORTS | {MUTANTS},
    "engine": REPORTS | {MUTANTS},
    "json": REPORTS | {MUTANTS},
    "like": REPORTS,
    "host": REPORTS,
    "baseline": REPORTS,
    "write-baseline": REPORTS,
    "explained": REPORTS,
    "junit": REPORTS,
    "html": REPORTS,
    "github": REPORTS,
    "depth": frozenset({SUITE}),
    "walks": frozenset({SUITE}),
    "seed": frozenset({SUITE}),
    "seconds": frozenset({SUITE}),
    "workers": frozenset({CAMPAIGN}),
    "scheduler": frozenset({CAMPAIGN}),
    "folder": frozenset({CAMPAIGN}),
}
"""option -> what it has a meaning for"""

APART: Mapping[tuple[str, str], str] = {
    ("workers", "scheduler"): "the scheduler has workers of its own",
    ("github", "json"): "each is a form of what is printed",
}
"""two options that exclude each other -> why"""


def what_is_wrong(given: Iterable[str]) -> str:
    """One sentence about the first two of these options that do not go together; "" where all do."""
    named = tuple(given)
    chosen = next((mode for mode in (SOURCE, MUTANTS, CAMPAIGN) if mode in named), SUITE)
    for name in named:
        if chosen in ABOUT[name]:
            continue
        if chosen == SUITE:
            return f"--{name} needs {_listed(ABOUT[name])}"
        takes = _listed(each for each, about in ABOUT.items() if chosen in about and each != chosen)
        return f"--{name} does not go with --{chosen}, which takes {takes or 'no other option'}"
    for (first, second), why in APART.items():
        if first in named and second in named:
            return f"--{first} does not go with --{second}: {why}"
    return ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"--{name}" for name in names)
