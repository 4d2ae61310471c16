"""SVG and PNG: drawn by the installed Graphviz, and legible."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import xml.etree.ElementTree as ElementTree
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from diagrams.overlapping import BOXES, POINTS, overlap, strikes
from diagrams.programs import needs_dot

from lifecycle import Role
from lifecycle.diagrams import NoRenderer, pictures, state_diagram, state_png
from lifecycle.diagrams.extraction import graph_of
from lifecycle.roles import ROLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SVG = "{http://www.w3.org/2000/svg}"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def has_extra() -> bool:
    """Whether the extra `diagrams` is installed."""
    return shutil.which("graphviz-pure", path=sysconfig.get_path("scripts")) is not None


RENDERERS = [
    pytest.param("dot", marks=needs_dot),
    pytest.param("graphviz-pure", marks=pytest.mark.skipif(not has_extra(), reason="graphviz-pure is not installed")),
]


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_both_renderers_draw_every_state_and_edge(role: Role, renderer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SVG has a group for each state and each edge, by its id, whether the system's Graphviz draws or the extra's."""
    monkeypatch.setattr(pictures, "PROGRAMS", (renderer,))
    graph = graph_of(role)
    root = ElementTree.fromstring(state_diagram(role, "svg"))
    ids = {each.get("id") for each in root.iter(f"{SVG}g")}
    assert {f"state-{number}" for number, _ in enumerate(graph.nodes)} <= ids
    assert {f"edge-{number}" for number, _ in enumerate(graph.edges)} <= ids
    shown = "".join(root.itertext())
    assert all(state.name in shown for state in role.states)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_both_renderers_make_png(renderer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both make PNG, and more dots per inch make a larger picture."""
    monkeypatch.setattr(pictures, "PROGRAMS", (renderer,))
    small, large = (state_png(ROLES["server"], dpi=dpi) for dpi in (72, 144))
    assert small.startswith(PNG_SIGNATURE)
    assert large.startswith(PNG_SIGNATURE)
    assert 1.9 < _width(large) / _width(small) < 2.1


def _width(png: bytes) -> int:
    return int.from_bytes(png[16:20])


def test_without_any_renderer_the_error_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """With neither Graphviz nor the extra, the error says how to get either; the text formats need none."""
    monkeypatch.setattr(pictures, "PROGRAMS", ("no-such-program",))
    with pytest.raises(NoRenderer, match=r"install its program `dot`, or .*: pip install \"socket-lifecycle\[diagrams\]\""):
        state_diagram(ROLES["server"], "svg")
    assert "digraph" in state_diagram(ROLES["server"], "dot")


@pytest.mark.skipif(sys.platform == "win32", reason="a script is not a program there")
def test_a_renderer_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the output of a renderer that failed."""
    broken = tmp_path / "broken-dot"
    broken.write_text("#!/bin/sh\necho out of paint >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(pictures, "PROGRAMS", (str(broken),))
    with pytest.raises(NoRenderer, match="failed: out of paint"):
        state_diagram(ROLES["server"], "svg")


TOO_WIDE = pytest.mark.xfail(strict=True, reason="with the states of TLS it is wider than a page, and lines cross labels")


@needs_dot
@pytest.mark.parametrize(
    "role",
    [pytest.param(role, marks=TOO_WIDE) if role.name in ("client", "accepted") else role for role in ROLES.values()],
    ids=lambda role: role.name,
)
def test_no_texts_overlap(browser: Browser, role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a real browser no text lies on another one, no label on a box, no line on a label, and the widest fits a page."""
    monkeypatch.setattr(pictures, "PROGRAMS", ("dot",))
    page = browser.new_page(viewport={"width": 1600, "height": 1600})
    try:
        page.set_content(state_diagram(role, "svg"))
        texts = page.evaluate(BOXES, "svg text")
        boxes = page.evaluate(BOXES, "svg .node > path, svg .node > g > a > path")
        labels = page.evaluate(BOXES, "svg .edge text")
        lines = page.evaluate(POINTS, "svg .edge path")
    finally:
        page.close()
    assert len(boxes) >= len(role.states)
    assert [(one[0], other[0]) for one, other in combinations(texts, 2) if overlap(one, other)] == []
    assert [label[0] for label in labels if any(overlap(label, box) for box in boxes)] == []
    assert [label[0] for label in labels if any(strikes(point, label) for point in lines)] == []
    assert max(text[3] for text in texts) < 1500
