"""How much the tests try of what is long: a part of each matrix and property, and all of it with LIFECYCLE_TESTS=whole.

Every value of a matrix is in the part, though not in every combination.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import product
from typing import Any

WHOLE = os.environ.get("LIFECYCLE_TESTS") == "whole"


def part(whole: int, short: int) -> int:
    """`whole` in the whole form, `short` in the suite: of examples, of rounds."""
    return whole if WHOLE else short


def combinations(first: Iterable[Any], second: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Every pair in the whole form; in the suite as few pairs as have each value of both."""
    ones, others = list(first), list(second)
    if WHOLE:
        return list(product(ones, others))
    return [(ones[at % len(ones)], others[at % len(others)]) for at in range(max(len(ones), len(others)))]
