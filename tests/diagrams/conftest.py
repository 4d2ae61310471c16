"""What the tests of the diagrams share: one browser, which is gone before the tests of another folder run event loops.

They share a page too: each other one costs half a second of processor time, since Chromium starts a process for it.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from diagrams.programs import RealMermaid, chromium, real_mermaid

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

STARTED = ExitStack()
BROWSERS: list[Browser] = []
MERMAIDS: list[RealMermaid] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """Close the browser behind the folder's last test."""
    try:
        return (yield)
    finally:
        if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
            BROWSERS.clear()
            MERMAIDS.clear()
            STARTED.close()


@pytest.fixture(scope="module")
def browser() -> Browser:
    """A headless Chromium."""
    if not BROWSERS:
        BROWSERS.append(STARTED.enter_context(chromium()))
    return BROWSERS[0]


@pytest.fixture
def blank(browser: Browser) -> Generator[Page]:
    """The page that tests share: without a network, and empty again when the test has ended."""
    page = browser.contexts[0].pages[0]
    size = page.viewport_size
    yield page
    page.goto("about:blank")
    if size is not None:
        page.set_viewport_size(size)


@pytest.fixture(scope="module")
def mermaid_itself(browser: Browser) -> RealMermaid:
    """The real Mermaid, in that browser."""
    if not MERMAIDS:
        MERMAIDS.append(STARTED.enter_context(real_mermaid(browser)))
    return MERMAIDS[0]
