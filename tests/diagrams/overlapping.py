"""Whether what a browser has drawn lies on top of each other."""

from __future__ import annotations

BOXES = """selector => [...document.querySelectorAll(selector)].map(each => {
    const box = each.getBoundingClientRect();
    return [each.textContent, box.left, box.top, box.right, box.bottom];
})"""


def overlap(one: list[float], other: list[float]) -> bool:
    """Whether two boxes share more than their rounding."""
    shared = [min(one[place + 2], other[place + 2]) - max(one[place], other[place]) for place in (1, 2)]
    return min(shared) > 1.5
