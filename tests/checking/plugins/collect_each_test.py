"""A plugin of pytest: cyclic garbage is collected at the end of each test, and at no other time.

An object that only the collector finds warns when it is finalized, and pytest counts that warning as a failure of whichever
test runs then. How many objects were made before decides which test that is, and the checker makes some.
"""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest


def pytest_configure() -> None:
    """The collector does not start by itself."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What is there before the first test is never collected, so that it costs nothing after each."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    """Collect what the test and its fixtures leave."""
    try:
        return (yield)
    finally:
        gc.collect()
