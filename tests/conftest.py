"""What every test shares: the engine under which the suite runs, and the rule that a test leaves nothing open."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings
from long_form import WHOLE, part
from loopback import open_descriptors
from scheduling import place, scheduler

from lifecycle.engine import default_engine, set_default_engine
from lifecycle.engine.journal import OBSERVERS

KEPT = ("AnyIO socket selector", "lifecycle selector")
"""Threads that outlive a test, where the event loop cannot watch sockets: the one for the process, the other for a second"""

settings.register_profile("lifecycle", deadline=None, print_blob=True, max_examples=part(100, 30))
settings.load_profile("lifecycle")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=("compiled", "reference"),
        default=default_engine(),
        help="the engine that runs the objects of the tests",
    )


def pytest_configure(config: pytest.Config) -> None:
    set_default_engine(config.getoption("--engine"))
    # A test that does not end ends its worker; with LoadScopeScheduling pytest-xdist may then wait for ever for the new one.
    if getattr(config.option, "maxworkerrestart", "") is None:
        config.option.maxworkerrestart = "0"


def pytest_report_header(config: pytest.Config) -> str:
    return f"lifecycle engine: {config.getoption('--engine')}; {'whole' if WHOLE else 'short'} form"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three workers for two cores: a third of the suite's time is spent waiting, for sockets, programs and the browser."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return cores * 3 // 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under pytest-xdist, unless a distribution is asked for."""
    return scheduler(config, log) if config.option.dist == "load" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the folders that take longest come first."""
    items.sort(key=lambda item: place(item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What collecting makes lasts as long as the process: the collector need not look at it, then or in any test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(scope="module", autouse=True)
def a_collector_with_little_to_do() -> None:
    """Freeze the objects that exist when a file begins, so that collections during its tests skip them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """A test that leaves a descriptor, a thread or an observer behind fails."""
    descriptors, threads, observers = open_descriptors(), set(threading.enumerate()), OBSERVERS.present
    yield
    assert OBSERVERS.present == observers, "objects are observed that were not before"
    others = [thread for thread in threading.enumerate() if thread not in threads and thread.name not in KEPT]
    for thread in others:
        thread.join(1)  # it may be ending
    left = {thread for thread in others if thread.is_alive()}
    assert not left, f"threads left running: {left}"
    if open_descriptors() - descriptors:
        gc.collect()
    assert not open_descriptors() - descriptors, f"descriptors left open: {open_descriptors() - descriptors}"
