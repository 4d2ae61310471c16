"""Nothing that an implementation raises, gives or does ends the suite, and only a pass has exit code 0."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from cli.command import run_command

from lifecycle import SERVER
from lifecycle.cli import supervised
from lifecycle.cli.supervised import ENDED, PASSED, RUNS, Supervised
from lifecycle.conformance import conform, target_of
from lifecycle.conformance.adapters import loopback
from lifecycle.conformance.memory import MemorySockets, MemoryStream


class Unlookable:
    """A result that raises whenever it is looked at."""

    def __repr__(self) -> str:
        raise RuntimeError

    __eq__ = __len__ = __bool__ = __iter__ = __repr__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


class Unreadable(OSError):
    """An error whose text and number raise."""

    def __str__(self) -> str:
        raise RuntimeError

    @property
    def errno(self) -> int:  # type: ignore[override]
        raise RuntimeError


def _raises(error: type[BaseException]) -> Callable[..., Any]:
    def method(self: Any, *arguments: Any) -> Any:
        raise error

    return method


def _recurses(self: Any, *arguments: Any) -> Any:
    return _recurses(self)


def _with(method: str, does: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: MemorySockets(type("Hostile", (MemoryStream,), {method: does}))


def ends() -> Any:
    """Sockets that end the process as if all was well."""
    return _with("listen", lambda self, *arguments: os._exit(0))()


@pytest.mark.parametrize(
    ("method", "does"),
    [
        ("bind", _raises(GeneratorExit)),
        ("bind", _raises(Unreadable)),
        ("bind", _raises(MemoryError)),
        ("listen", _recurses),
        ("listen", lambda self, *arguments: Unlookable()),
        ("accept", lambda self: Unlookable()),
        ("getsockname", lambda self: Unlookable()),
        ("close", _raises(GeneratorExit)),
    ],
    ids=lambda each: each if isinstance(each, str) else getattr(each, "__qualname__", ""),
)
def test_the_suite_goes_on_to_its_end(method: str, does: Callable[..., Any]) -> None:
    """Results and errors that raise when they are looked at, and errors of any class, are findings."""
    report = conform(target_of("hostile", _with(method, does)), [SERVER], depth=1, walks=5)
    assert not report.passes
    assert report.unexplained


def test_an_implementation_that_ends_the_process_does_not_pass() -> None:
    """The command exits with 1 and says what has happened, and at which step."""
    ran = run_command("conform", "conformance.test_hostile_implementations:ends", "--role", "server", "--depth", "1")
    assert ran.returncode == 1
    assert "FAILS: the implementation ended the process with exit code 0" in ran.stderr
    assert "last step: " in ran.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
@pytest.mark.parametrize(
    ("marks", "end", "code"),
    [
        ((RUNS, ENDED, PASSED), lambda: os._exit(0), 0),
        ((RUNS, ENDED), lambda: os._exit(1), 1),
        ((RUNS, ENDED), lambda: os._exit(0), 1),
        ((ENDED,), lambda: os._exit(2), 2),
        ((RUNS,), lambda: os._exit(0), 1),
        ((RUNS,), lambda: os.kill(os.getpid(), signal.SIGKILL), 1),
        ((RUNS,), lambda: time.sleep(60), 1),
    ],
    ids=["passes", "fails", "fails with 0", "wrong usage", "ends itself", "is killed", "hangs"],
)
def test_a_pass_is_said_by_the_run(
    marks: tuple[int, ...], end: Callable[[], None], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the exit code of the process is, and however it ends: without the run's word it is a failure."""
    monkeypatch.setattr(supervised, "PATIENCE", 0.3)
    monkeypatch.setattr(supervised, "TICK", 0.05)
    shared, (over, other) = Supervised(), os.pipe()
    child = os.fork()
    if not child:
        os.close(over)
        for mark in marks:
            shared.mark(mark)
        end()
    os.close(other)
    try:
        assert shared.exit_code(child, over) == code
    finally:
        os.close(over)


def test_a_machine_without_loopback_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no connection goes through the loopback interface the report says so, and is not a list of differences."""
    monkeypatch.setattr(loopback, "HOST", "192.0.2.1")  # of no machine: RFC 5737
    report = conform(target_of("socket", socket.socket), [SERVER], depth=1, walks=0)
    assert not report.passes
    assert "no connection goes through the loopback interface" in report.stopped
    assert not report.unexplained
