"""The programs outside Python that some tests need; where one is missing, those tests are skipped and say which."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from loopback import PROGRAM_ENDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MERMAID = Path(__file__).parent / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="the program dot (Graphviz) is not installed")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser: the system's own Chromium, driven by Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("the program chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        browser.new_context(offline=True).new_page()  # the one that tests share
        try:
            yield browser
        finally:
            browser.close()


class RealMermaid:
    """Mermaid itself, in a page of a browser."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.set_content("<div id='place'></div>")
        page.add_script_tag(path=MERMAID)
        page.evaluate("mermaid.initialize({startOnLoad: false, suppressErrorRendering: true})")

    def parsed(self, text: str) -> dict[str, Any]:
        """What the parser makes of a state diagram: its relations (from, to, label), and its states' texts by id."""
        found: dict[str, Any] = self._page.evaluate(
            """async text => {
                const {db} = await mermaid.mermaidAPI.getDiagramFromText(text);
                const states = [...db.getStates()].map(([id, state]) => [id, state.descriptions]);
                const relations = db.getRelations().map(each => [each.id1, each.id2, each.relationTitle ?? ""]);
                return {relations, states: Object.fromEntries(states)};
            }""",
            text,
        )
        return found

    def drawn(self, text: str) -> str:
        """The SVG that it draws; it stays in the page."""
        svg: str = self._page.evaluate(
            """async text => {
                const {svg} = await mermaid.render('drawn', text);
                return document.getElementById('place').innerHTML = svg;
            }""",
            text,
        )
        return svg

    def ask(self, question: str) -> Any:
        """The value of an expression in the page that shows the drawing."""
        return self._page.evaluate(question)


@contextmanager
def real_mermaid(browser: Browser) -> Iterator[RealMermaid]:
    """Mermaid in a page of its own."""
    if not MERMAID.exists():
        pytest.skip("the package mermaid is not installed: npm install --prefix tests/diagrams")
    page = browser.new_page(viewport={"width": 2400, "height": 1400})
    try:
        yield RealMermaid(page)
    finally:
        page.close()


def dot_json(text: str) -> str:
    """What Graphviz read, with its layout, as JSON."""
    ran = subprocess.run(("dot", "-Tjson"), input=text, capture_output=True, text=True, timeout=PROGRAM_ENDS, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
