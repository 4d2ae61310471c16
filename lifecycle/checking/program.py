"""A whole program under the checker, with its child processes, as `lifecycle run` starts it.

Every process keeps its own findings. A child appends each finding to a file that they share, so that those of a child that is
killed are not lost; the main process reads them at its end and reports all. It also writes the report file, if one was asked
for, about once a second.

The file is open from the beginning, and what a report needs is loaded then: the program may have no descriptor left, no rights,
or another root when there is something to report.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.machinery import BuiltinImporter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import lifecycle
from lifecycle.checking import session, unseen
from lifecycle.checking.checkers import Checker
from lifecycle.checking.findings import Finding
from lifecycle.checking.report import report_run, write_report
from lifecycle.checking.settings import FILE, read_settings
from lifecycle.checking.shared_file import SharedFile
from lifecycle.checking.signal_handlers import ReplacedDefaults
from lifecycle.roles import SERVER
from lifecycle.roles.words import LISTEN
from lifecycle.system.platform_answers import SYSTEMS, platform_answers

if TYPE_CHECKING:
    from lifecycle.checking.live_lines import LiveLines

_REPORT_EVERY = 1.0  # seconds between reports on the way, which a program that hangs and is killed leaves


SHARED, MAIN, LIVE = "findings.jsonl", "main", "live.jsonl"


class CheckedProcess:
    """This process's part of the run."""

    def __init__(self, folder: Path, *, is_main: bool) -> None:
        settings = read_settings(folder)
        self.settings = settings
        self.folder = folder
        self.is_main = is_main
        self.process = os.getpid()
        self.checker = Checker(
            settings.mode,
            keep_all=settings.keeps_all,
            on_finding=self._found,
            systems=settings.systems,
            strict=settings.strict,
        )
        self._live: LiveLines | None = None
        self.has_failed = False
        self._sockets_before = unseen.sockets_of_the_process()
        self._is_from_file = sys.argv[:1] not in (["-c"], ["-"], [""], [])
        self.is_over = False
        self._shared = SharedFile(folder / SHARED)
        self._next_report = 0.0
        self._exit: Callable[[int], NoReturn] = os._exit
        self._signals = ReplacedDefaults(lambda: self.finish(orderly=False, killed=True))

    def begin(self) -> None:
        """Begin to check, and prepare for every way in which the process may end."""
        _load()
        if self.settings.live:
            from lifecycle.checking.live_lines import LiveLines

            self._live = LiveLines(self.folder, self.process if self.is_main else 0)
        session.start(self.checker)
        os._exit = self._finish_and_exit
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)
        self._signals.install()

    def finish(self, *, orderly: bool, killed: bool = False, sudden: bool = False) -> None:
        """Look for leaks, and report.

        orderly: the program has ended. killed: a signal ends it, with code still running. sudden: os._exit() ends it.
        """
        if self.is_over:
            return
        self.is_over = True
        if orderly:
            gc.collect()
        had_no_chance_to_close = killed or _ends_by_exception() or (sudden and self.is_main)
        session.judge_what_is_left(None if had_no_chance_to_close else 0)
        lost = unseen.unseen(self._sockets_before) if self.is_main else []
        has_begun = not orderly or not _never_began(is_from_file=self._is_from_file)
        session.stop(self.checker)
        if self.is_main:
            self._shared.free_spares()
            self.has_failed = report_run(self.settings, self.checker, list(self._from_children()), lost, has_begun=has_begun)
            for name in (SHARED, MAIN, FILE, LIVE):
                with suppress(OSError):
                    os.unlink(self.folder / name)
            with suppress(OSError):
                os.rmdir(self.folder)
        elif self.settings.keeps_all:
            from lifecycle.checking.charts import recorded

            with suppress(OSError):
                self._write("recorded", [each.as_data() for each in recorded(self.checker.tracks, self.process)])

    def exit_failed(self) -> NoReturn:
        """End the process, at the end of all else, with the exit code of a run that has failed."""
        self._exit(1)

    def _found(self, finding: Finding) -> None:
        if self._live is not None:
            self._live.found(finding)
        with suppress(OSError):  # the folder is gone with the main process; a full disk is reported at the end
            if not self.is_main:
                self._write("finding", finding.as_data())
            elif self.settings.report is not None and time.monotonic() >= self._next_report:
                write_report(self.settings.report, self.checker, [found.as_data() for found in self.checker.findings])
                self._next_report = time.monotonic() + _REPORT_EVERY

    def _write(self, kind: str, data: Any) -> None:
        self._shared.append(json.dumps({kind: data}) + "\n")

    def _from_children(self) -> Iterator[tuple[str, Any]]:
        """("finding", its data) or ("recorded", their sockets) of every child that wrote something."""
        for line in self._shared.read().split("\n"):
            with suppress(json.JSONDecodeError):  # a full disk, or a kill, may leave a part of a line
                yield from json.loads(line).items()

    def _forked(self) -> None:
        """This process is a child now: earlier findings and sockets belong to its parent."""
        self.process = os.getpid()
        self.is_main = self.is_over = False
        self.checker.forget()
        self._signals.remove()  # a child is often ended by a signal, and its findings are written already

    def _finish_and_exit(self, status: int) -> NoReturn:
        if self.process == os.getpid():
            self.finish(orderly=False, sudden=True)
        self._exit(1 if self.has_failed else status)


def _load() -> None:
    """Load the platform tables, which the text of a finding reads."""
    platform_answers(SERVER.name, SERVER.initial, LISTEN.name, systems=SYSTEMS)


_process: CheckedProcess | None = None


def begin(folder: str, *, is_main: bool) -> None:
    """Take part in the run that shares `folder`. is_main: this is the process that reports at its end."""
    global _process
    if _process is None:
        lifecycle.__doc__ = f"{lifecycle.__doc__}\nPYTEST_DONT_REWRITE"  # else pytest warns
        _process = CheckedProcess(Path(folder), is_main=is_main)
        _process.begin()


def finish() -> None:
    """The process ends."""
    if _process is not None:
        _process.finish(orderly=True)
        if _process.has_failed:
            with suppress(AttributeError, OSError, ValueError):  # gone, or closed
                sys.stdout.flush()
                sys.stderr.flush()
            _process.exit_failed()
        if getattr(sys, "last_type", None) is KeyboardInterrupt:
            _keep_interrupted()


def _ends_by_exception() -> bool:
    """Whether an uncaught exception ends the program; a test runner sets sys.last_traceback for its own."""
    traceback: TracebackType | None = getattr(sys, "last_traceback", None)
    return traceback is not None and traceback.tb_frame.f_back is None


def _never_began(*, is_from_file: bool) -> bool:
    """Whether Python has found no program, or could not compile it: Python itself has then reported this, and no line ran.

    Before a file is opened, `__main__` has the loader of built-in modules; before a module or folder is run, it has no spec.
    """
    main = getattr(sys.modules.get("__main__"), "__dict__", {})
    is_untouched = main.get("__loader__") is BuiltinImporter and main.get("__spec__", main) is None
    is_uncompiled = getattr(sys, "last_type", None) is not None and getattr(sys, "last_traceback", None) is None
    return (is_from_file and is_untouched) or is_uncompiled


def _keep_interrupted() -> None:
    """Make the interpreter remember that the interrupt was not caught, so that it exits by the signal.

    It forgets that when code is compiled and run, as an import of a dataclass does; an uncaught interrupt of such code sets
    it.
    """
    with suppress(KeyboardInterrupt):
        exec("raise KeyboardInterrupt")
