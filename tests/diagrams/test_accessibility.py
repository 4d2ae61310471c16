"""axe-core, which looks for what people who cannot see or point stumble over, finds nothing on the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lifecycle.diagrams import explorer_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
FOUND = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
    .map(each => `${each.id}: ${each.nodes.map(node => node.target.join(' ')).join(', ')}`)"""

USABLE = """[...document.querySelectorAll('#replay [id]')]
    .filter(each => each.tabIndex >= 0 && each.checkVisibility() && !each.disabled).map(each => each.id)"""


@pytest.mark.skipif(not AXE.exists(), reason="the package axe-core is not installed: npm install --prefix tests/diagrams")
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    """On the page to explore, with an explained refusal, and on a run with a refusal under the cursor."""
    file = tmp_path / "page.html"
    file.write_text(explorer_page(), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        page.click("#refused .call")
        assert page.evaluate(FOUND) == []
        page.keyboard.press("2")
        page.click("#last")
        page.click("#copy-python")
        assert page.evaluate(FOUND) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    finally:
        context.close()


def test_the_keyboard_reaches_everything(browser: Browser, tmp_path: Path) -> None:
    """Tab goes through every button, field and frame of a run that can be used, without a trap."""
    file = tmp_path / "page.html"
    file.write_text(explorer_page(), encoding="utf-8")
    page = browser.new_page()
    try:
        page.goto(file.as_uri())
        page.keyboard.press("2")
        wanted = set(page.evaluate(USABLE))
        reached = set()
        for _ in range(120):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.id"))
        assert wanted - reached == set()
    finally:
        page.close()
