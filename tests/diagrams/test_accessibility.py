"""axe-core, which looks for what people who cannot see or point stumble over, finds nothing on the pages."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from diagrams.site_pages import AXE, FOUND, SCHEMES, WIDTHS, unreached

from lifecycle.diagrams import explorer_page
from lifecycle.roles import ROLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.mark.skipif(not AXE.exists(), reason="the package axe-core is not installed: npm install --prefix tests/diagrams")
def test_axe_finds_nothing(browser: Browser, tmp_path: Path) -> None:
    """On the page to explore, with an explained refusal, and on a run with a refusal; light and dark, wide and narrow."""
    file = tmp_path / "page.html"
    file.write_text(explorer_page(), encoding="utf-8")
    context = browser.new_context(bypass_csp=True)
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        page.click("#refused .call")
        for view, (scheme, width) in product("12", product(SCHEMES, WIDTHS)):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.keyboard.press(view)
            if view == "2":
                page.click("#last") if page.is_enabled("#last") else None
                page.click("#copy-python")
            assert page.evaluate(FOUND) == [], (view, scheme, width)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    finally:
        context.close()


@pytest.mark.parametrize("view", ["1", "2"])
def test_the_keyboard_reaches_everything(blank: Page, tmp_path: Path, view: str) -> None:
    """Tab goes through everything of the page to explore, and of a run, that can be used, without a trap."""
    file = tmp_path / "page.html"
    file.write_text(explorer_page(ROLES["server"]), encoding="utf-8")
    blank.goto(file.as_uri())
    blank.keyboard.press(view)
    blank.evaluate("document.activeElement.blur()")
    assert unreached(blank) == []
