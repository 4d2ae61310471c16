"""Whether what a browser has drawn lies on top of each other."""

from __future__ import annotations

BOXES = """selector => [...document.querySelectorAll(selector)].map(each => {
    const box = each.getBoundingClientRect();
    return [each.textContent, box.left, box.top, box.right, box.bottom];
})"""

POINTS = """selector => [...document.querySelectorAll(selector)].flatMap(each => {
    const [length, toScreen] = [each.getTotalLength(), each.getScreenCTM()];
    return Array.from({length: Math.ceil(length / 4)}, (_, number) => {
        const point = each.getPointAtLength(4 * number).matrixTransform(toScreen);
        return [point.x, point.y];
    });
})"""


def strikes(point: list[float], text: tuple[str, float, float, float, float]) -> bool:
    """Whether a point of a line lies well within a text: among its letters, and not in the spaces around them."""
    shown, left, top, right, bottom = text
    letter = (right - left) / len(shown)
    left += letter * (len(shown) - len(shown.lstrip()))
    right -= letter * (len(shown) - len(shown.rstrip()))
    return left + 2 < point[0] < right - 2 and top + 3 < point[1] < bottom - 3


def overlap(one: list[float], other: list[float]) -> bool:
    """Whether two boxes share more than their rounding."""
    shared = [min(one[place + 2], other[place + 2]) - max(one[place], other[place]) for place in (1, 2)]
    return min(shared) > 1.5
