"""A whole program under a checker, its children included: what `lifecycle run` has asked for arrives in the environment.

Every process keeps its own findings. Children write theirs into a folder as they come, so that a child that is killed has told
them; the first process gathers them at its end, and tells everything. Where a report is wanted it is written on the way, too.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import lifecycle
from lifecycle.checking import registry, session
from lifecycle.checking.checker import Checker, Mode
from lifecycle.checking.ending import StandIn
from lifecycle.checking.findings import Finding
from lifecycle.checking.overtaking import judge_those_on_their_way
from lifecycle.checking.settings import read_settings
from lifecycle.checking.telling import tell, write_report

_REPORT_EVERY = 1.0  # seconds; a program that hangs, and is killed, has left what was found till then


class Run:
    """This process's part of the run."""

    def __init__(self, folder: Path, *, is_main: bool) -> None:
        settings = read_settings(folder)
        self.settings = settings
        self.folder = folder
        self.is_main = is_main
        self.process = os.getpid()
        self.checker = Checker(Mode(settings.mode), keep_all=settings.keeps_all, tell=self._tell)
        self.is_over = False
        self._next_report = 0.0
        self._exit: Callable[[int], NoReturn] = os._exit
        self._stand_in = StandIn(lambda: self.finish(orderly=False, killed=True))

    def begin(self) -> None:
        """Check from now on, whatever way the process ends."""
        session.start(self.checker)
        os._exit = self._finish_and_exit
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)
        self._stand_in.take_place()

    def finish(self, *, orderly: bool, killed: bool = False) -> None:
        """Look for what is still open, and tell. orderly: nothing of the program runs any more. killed: in its midst."""
        if self.is_over:
            return
        self.is_over = True
        if orderly:
            gc.collect()
        registry.judge_the_dead()
        judge_those_on_their_way()
        if not killed and not _dies_of_an_error():  # who does closes nothing
            registry.judge_the_living(0)
        session.stop(self.checker)
        if self.is_main:
            tell(self.settings, self.checker, list(self._of_children()))
            shutil.rmtree(self.folder, ignore_errors=True)
        elif self.settings.keeps_all:
            from lifecycle.checking.recording import recorded

            with suppress(OSError):
                self._write("recorded", [each.as_data() for each in recorded(self.checker.tracks, self.process)])

    def _tell(self, finding: Finding) -> None:
        with suppress(
            OSError
        ):  # the first process may have ended, and taken the folder along; a full disk is told of at the end
            if not self.is_main:
                self._write("finding", finding.as_data())
            elif self.settings.report is not None and time.monotonic() >= self._next_report:
                write_report(self.settings.report, self.checker, [found.as_data() for found in self.checker.findings])
                self._next_report = time.monotonic() + _REPORT_EVERY

    def _write(self, what: str, data: Any) -> None:
        line = json.dumps({what: data}) + "\n"
        with open(self.folder / f"{self.process}.jsonl", "a", encoding="utf-8") as file:
            file.write(line)

    def _of_children(self) -> Iterator[tuple[str, Any]]:
        """("finding", its data) or ("recorded", their sockets) of every child that has told something."""
        for path in sorted(self.folder.glob("*.jsonl")):
            lines = path.read_text(encoding="utf-8").split("\n")
            for line in lines[:-1]:  # behind the last one there is nothing, or what a killed child could not finish
                yield from json.loads(line).items()

    def _forked(self) -> None:
        """This process is a child now: what its parent has found and made is the parent's."""
        self.process = os.getpid()
        self.is_main = self.is_over = False
        self.checker.forget()
        self._stand_in.give_way()  # a child is often ended so, and has told what it found

    def _finish_and_exit(self, status: int) -> NoReturn:
        if self.process == os.getpid():
            self.finish(orderly=False)
        self._exit(status)


_run: Run | None = None


def begin(folder: str, *, is_main: bool) -> None:
    """Take part in the run that meets in `folder`; `is_main`: as the process that tells everything at its end."""
    global _run
    if _run is None:
        lifecycle.__doc__ = f"{lifecycle.__doc__}\nPYTEST_DONT_REWRITE"  # pytest would warn that it comes too late for that
        _run = Run(Path(folder), is_main=is_main)
        _run.begin()


def finish() -> None:
    """The process ends."""
    if _run is not None:
        _run.finish(orderly=True)
        if getattr(sys, "last_type", None) is KeyboardInterrupt:
            _stay_interrupted()


def _dies_of_an_error() -> bool:
    """Whether an exception that nobody has caught ends the program; a test runner sets sys.last_traceback for its own."""
    traceback: TracebackType | None = getattr(sys, "last_traceback", None)
    return traceback is not None and traceback.tb_frame.f_back is None


def _stay_interrupted() -> None:
    """Remind the interpreter that nobody has caught the interrupt, so that it ends by the signal.

    It forgets that when code is compiled and run, as an import of a dataclass does, and learns it when such code raises.
    """
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")
