"""checked_sockets() collects garbage at its end; these fixtures keep the objects of the test runner out of that."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def a_collector_with_little_to_do() -> Iterator[None]:
    """Objects that exist before the tests of a module are frozen, so that collections skip them."""
    gc.freeze()
    yield
    gc.unfreeze()
