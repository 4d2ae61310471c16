"""The order of the suite: what takes longest begins first, and under pytest-xdist a worker gets a file at once.

A module's fixtures are made once, one browser serves all tests that need one, and no worker waits long for the others: of the
files that take longest it gets a quarter at once, and of some tests one.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import pytest

ALONE = (
    "tests/typing/",
    "tests/diagrams/test_docs.py::test_a_command_of_the_docs",
    "tests/conformance/test_mutants.py",
    "tests/conformance/test_driver.py",
)
"""Each test whose name begins so is a unit by itself: it takes seconds"""

TOGETHER = ("tests/diagrams/test_site.py", "tests/diagrams/")
"""What begins so is one unit, for its browser: the built site, and all other pages"""

IN_PARTS = (
    "tests/conformance/agents/test_protocol.py",
    "tests/conformance/test_broken_implementations.py",
    "tests/conformance/test_campaigns.py",
    "tests/conformance/test_data_cells.py",
    "tests/conformance/test_first_fakes.py",
    "tests/conformance/test_implementations.py",
    "tests/conformance/test_machine.py",
    "tests/conformance/test_pytest_suite.py",
    "tests/checking/",
    "tests/cli/",
    "tests/campaigns/",
    "tests/roles/test_rows.py",
    "tests/aio/test_as_blocking.py",
    "tests/properties/test_walks.py",
    "tests/net/test_lost_races.py",
    "tests/test_examples.py",
)
"""Files and folders that take longer than others: each of their files is four units"""

PARTS = 4

FIRST = (
    "tests/typing/",
    "tests/properties/",
    "tests/diagrams/",
    "tests/conformance/",
    "tests/checking/",
    "tests/archive/",
    "tests/cli/",
)


def place(nodeid: str) -> int:
    """The place of a test in the order of the suite."""
    return next((number for number, begin in enumerate(FIRST) if nodeid.startswith(begin)), len(FIRST))


def unit(nodeid: str) -> str:
    """What a test belongs to that one worker runs."""
    if nodeid.startswith(ALONE):
        return nodeid
    together = next((begin for begin in TOGETHER if nodeid.startswith(begin)), None)
    if together:
        return together
    file = nodeid.partition("::")[0]
    return f"{file} {crc32(nodeid.encode()) % PARTS}" if file.startswith(IN_PARTS) else file


def scheduler(config: pytest.Config, log: Any) -> Any:
    """A scheduler of pytest-xdist that gives out these units, in the order of the collection."""
    from xdist.scheduler import LoadScopeScheduling

    class Units(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    config.option.loadscopereorder = False
    return Units(config, log)
