"""A pytest plugin: notes which tests run each line of the package, or runs the tests that another run has noted, in its order.

`LIFECYCLE_REACHED=notes.json pytest -p reached_lines ...` writes the notes; `LIFECYCLE_CHOSEN=chosen.json` drops those tests of
its `known` that are not in its `order`. Used by `tests/mutation.py`, which breaks a line and runs the tests that reach it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage, CoverageData
from coverage.exceptions import CoverageException

PACKAGE = Path(__file__).parents[1] / "lifecycle"

CHILDREN = f"""
[run]
include = {PACKAGE}/*
data_file = {{folder}}/data
parallel = true
context = ${{{{PYTEST_CURRENT_TEST}}}}
patch = _exit
disable_warnings = no-data-collected, module-not-measured
"""
"""coverage.py's settings for the processes that tests start; pytest tells them the test by PYTEST_CURRENT_TEST"""


def pages_of_children() -> int:
    """Grows with each process that this one has waited for.

    An audit hook would see them begin, but runs while a thread gets its trace function, and CPython 3.11 then ends others.
    """
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt


class Recorder:
    """Writes, of each test, its seconds, the lines that it runs, whether it fails, and whether another process ended in it.

    It begins with the plugin, before the package is imported: what runs outside of a test has the name "". Other Python
    processes note their lines themselves, unless a signal ends them.
    """

    def __init__(self, file: str) -> None:
        self.file = Path(file)
        self.coverage = Coverage(data_file=None, config_file=False, include=[f"{PACKAGE}/*"], messages=False)
        self.seconds: dict[str, float] = {}
        self.elsewhere: set[str] = set()
        self.failed: set[str] = set()
        self.children = tempfile.TemporaryDirectory()
        settings = Path(self.children.name, "settings")
        settings.write_text(CHILDREN.format(folder=self.children.name), encoding="utf-8")
        os.environ["COVERAGE_PROCESS_START"] = str(settings)
        self.coverage.start()
        self.trace = sys.gettrace()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        before = pages_of_children()
        self.coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self.coverage.switch_context("")
            sys.settrace(self.trace)  # the test may have set its own
            if pages_of_children() != before:
                self.elsewhere.add(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_unconfigure(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for each in (data, *self.data_of_children()):
            for path in each.measured_files():
                for line, tests in each.contexts_by_lineno(path).items():
                    known = {test.rpartition(" (")[0] if each is not data else test for test in tests}
                    lines[Path(path).relative_to(PACKAGE.parent).as_posix()][line] |= known
        notes = {"seconds": self.seconds, "elsewhere": sorted(self.elsewhere), "failed": sorted(self.failed), "lines": lines}
        self.file.write_text(json.dumps(notes, default=sorted), encoding="utf-8")

    def data_of_children(self) -> list[CoverageData]:
        """What the other processes noted."""
        found = []
        for path in sorted(Path(self.children.name).glob("data.*")):
            data = CoverageData(str(path))
            with suppress(CoverageException):  # a signal ended its writer
                data.read()
                found.append(data)
        return found


class Chooser:
    """Runs the tests of `order` in its order, then those that are not `known`."""

    def __init__(self, file: str) -> None:
        chosen = json.loads(Path(file).read_text(encoding="utf-8"))
        self.known = frozenset(chosen["known"])
        self.place = {test: number for number, test in enumerate(chosen["order"])}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        dropped = [item for item in items if item.nodeid in self.known and item.nodeid not in self.place]
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item.nodeid in self.place or item.nodeid not in self.known]
        items.sort(key=lambda item: self.place.get(item.nodeid, len(self.place)))


_PLUGINS = [
    kind(os.environ[name])
    for name, kind in (("LIFECYCLE_REACHED", Recorder), ("LIFECYCLE_CHOSEN", Chooser))
    if os.environ.get(name)
]


def pytest_configure(config: pytest.Config) -> None:
    for plugin in _PLUGINS:
        config.pluginmanager.register(plugin)
