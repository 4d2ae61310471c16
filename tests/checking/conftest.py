"""What the tests of the checker share: checked_sockets() collects garbage, and need not look at the test runner."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def a_collector_with_little_to_do() -> Iterator[None]:
    """Whatever is there before the tests of a module is left out of collections."""
    gc.freeze()
    yield
    gc.unfreeze()
