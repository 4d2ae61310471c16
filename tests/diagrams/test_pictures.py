"""SVG and PNG: drawn by the installed Graphviz, and legible."""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
import xml.etree.ElementTree as ElementTree
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from diagrams.overlapping import BOXES, POINTS, overlap, strikes
from diagrams.programs import needs_dot
from hypothesis import given, settings
from long_form import combinations as pairs
from long_form import part
from strategies import awkward_names, roles

from lifecycle import Role
from lifecycle.diagrams import NoRenderer, explorer_page, pictures, state_diagram, state_png
from lifecycle.diagrams.extraction import graph_of
from lifecycle.roles import ROLES

if TYPE_CHECKING:
    from playwright.sync_api import Page

SVG = "{http://www.w3.org/2000/svg}"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def has_extra() -> bool:
    """Whether the extra `diagrams` is installed."""
    return shutil.which("graphviz-pure", path=sysconfig.get_path("scripts")) is not None


RENDERERS = [
    pytest.param("dot", marks=needs_dot),
    pytest.param("graphviz-pure", marks=pytest.mark.skipif(not has_extra(), reason="graphviz-pure is not installed")),
]

PICTURES = [
    pytest.param(role, *renderer.values, marks=renderer.marks, id=f"{role.name}-{renderer.values[0]}")
    for renderer, role in pairs(RENDERERS, ROLES.values())
]


@cache
def drawn(role: str, renderer: str) -> str:
    """The SVG of one of the package's roles, drawn by that program."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pictures, "PROGRAMS", (renderer,))
        return pictures.drawn(state_diagram(ROLES[role], "dot"))


@pytest.mark.parametrize(("role", "renderer"), PICTURES)
def test_both_renderers_draw_every_state_and_edge(role: Role, renderer: str) -> None:
    """The SVG has a group for each state and each edge, by its id, whether the system's Graphviz draws or the extra's."""
    graph = graph_of(role)
    root = ElementTree.fromstring(drawn(role.name, renderer))
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


BEYOND = """() => [...document.querySelectorAll('g.node, g.cluster')].flatMap(each => {
    const box = each.querySelector('path, polygon')?.getBoundingClientRect();
    return [...each.querySelectorAll('text')].filter(text => {
        const letters = text.getBoundingClientRect();
        return box && letters.width && (letters.left < box.left || letters.right > box.right);
    }).map(text => text.textContent);
})"""


@pytest.mark.skipif(not has_extra(), reason="graphviz-pure is not installed")
def test_no_text_leaves_its_box_with_the_extra_alone(blank: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a state is called, its box is wide enough in a browser, though the extra lays out without any font."""
    monkeypatch.setattr(pictures, "PROGRAMS", ("graphviz-pure",))

    @settings(max_examples=part(10, 4))
    @given(roles(awkward_names))
    def check(role: Role) -> None:
        blank.set_content(pictures.drawn(state_diagram(role, "dot")))
        assert blank.evaluate(BEYOND) == []

    for role in ROLES:
        blank.set_content(drawn(role, "graphviz-pure"))
        assert blank.evaluate(BEYOND) == []
    check()


def test_the_packages_own_roles_need_no_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Graphviz and the extra there is SVG of every role, and the page to explore shows it."""
    monkeypatch.setattr(pictures, "PROGRAMS", ("no-such-program",))
    assert all("<svg" in state_diagram(role, "svg") for role in ROLES.values())
    assert explorer_page().count("data-dot=") == len(ROLES)


def test_pictures_are_for_dark_pages_too() -> None:
    """Every colour that a picture uses has one in its place where the reader prefers dark pages."""
    for role in ROLES.values():
        text = state_diagram(role, "svg")
        used = set(re.findall(r'(?:fill|stroke)="(#\w+|white)"', text))
        assert used <= set(pictures.DARK)
        assert "prefers-color-scheme: dark" in text


def test_without_any_renderer_the_error_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """With neither Graphviz nor the extra, the error says how to get either; the text formats need none."""
    monkeypatch.setattr(pictures, "PROGRAMS", ("no-such-program",))
    with pytest.raises(NoRenderer, match=r"install its program `dot`, or .*: pip install \"socket-lifecycle\[diagrams\]\""):
        state_diagram(ROLES["server"], "svg", highlight="bound")
    assert "digraph" in state_diagram(ROLES["server"], "dot")


@pytest.mark.skipif(sys.platform == "win32", reason="a script is not a program there")
def test_a_renderer_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the output of a renderer that failed."""
    broken = tmp_path / "broken-dot"
    broken.write_text("#!/bin/sh\necho out of paint >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(pictures, "PROGRAMS", (str(broken),))
    with pytest.raises(NoRenderer, match="failed: out of paint"):
        state_diagram(ROLES["server"], "svg", highlight="bound")


@pytest.mark.parametrize(("role", "renderer"), PICTURES)
def test_no_texts_overlap(blank: Page, role: Role, renderer: str) -> None:
    """In a real browser no text lies on another one, no label on a box, no line on a label, and the widest fits a page."""
    blank.set_viewport_size({"width": 1600, "height": 1600})
    blank.set_content(drawn(role.name, renderer))
    texts = blank.evaluate(BOXES, "svg text")
    boxes = blank.evaluate(BOXES, "svg .node > path, svg .node > g > a > path")
    labels = blank.evaluate(BOXES, "svg .edge text")
    lines = blank.evaluate(POINTS, "svg .edge path")
    assert len(boxes) >= len(role.states)
    assert [(one[0], other[0]) for one, other in combinations(texts, 2) if overlap(one, other)] == []
    assert [label[0] for label in labels if any(overlap(label, box) for box in boxes)] == []
    assert [label[0] for label in labels if any(strikes(point, label) for point in lines)] == []
    assert max(text[3] for text in texts) < 1550
