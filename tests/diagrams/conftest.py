"""What the tests of the diagrams share: a browser, which is gone before the tests of another file run event loops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from diagrams.programs import RealMermaid, chromium, real_mermaid

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def mermaid_itself(browser: Browser) -> Iterator[RealMermaid]:
    """The real Mermaid, in that browser."""
    with real_mermaid(browser) as found:
        yield found
