"""What the tests of the diagrams share: one browser, which is gone before the tests of another folder run event loops."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from diagrams.programs import RealMermaid, chromium, real_mermaid

if TYPE_CHECKING:
    from playwright.sync_api import Browser

STARTED = ExitStack()
BROWSERS: list[Browser] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """Close the browser behind the folder's last test."""
    try:
        return (yield)
    finally:
        if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
            BROWSERS.clear()
            STARTED.close()


@pytest.fixture(scope="module")
def browser() -> Browser:
    """A headless Chromium."""
    if not BROWSERS:
        BROWSERS.append(STARTED.enter_context(chromium()))
    return BROWSERS[0]


@pytest.fixture(scope="module")
def mermaid_itself(browser: Browser) -> Generator[RealMermaid]:
    """The real Mermaid, in that browser."""
    with real_mermaid(browser) as found:
        yield found
