"""A campaign finds what is deep, goes on from its folder, and does lost work again (long form: python -m tests.campaign)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from campaign import Loses
from cli.command import environment, run_command
from loopback import PROGRAM_ENDS

from lifecycle.conformance import replay
from lifecycle.conformance.campaigns.campaign import PAGE, STATE, BadCampaign, run_campaign
from lifecycle.conformance.campaigns.jobs import Chosen, Job, run_job
from lifecycle.conformance.memory import MemorySockets, MemoryStream

NAME = "conformance.test_campaigns:deep_sockets"


class Deep(Loses, MemoryStream):
    """A socket in memory with a fault that few walks come to."""


def deep_sockets() -> MemorySockets:
    """Sockets with a fault that few walks come to."""
    return MemorySockets(Deep)


class Here(Executor):
    """Does jobs in this process, and is lost after so many."""

    def __init__(self, lasts: int) -> None:
        self.left = lasts

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.left -= 1
        if self.left < 0:
            future.set_exception(BrokenProcessPool("a worker was killed"))
        else:
            future.set_result(fn(*args))
        return future


def here(*lasting: int) -> Any:
    """Executors of this process, one after the other."""
    lasts = list(lasting)

    @contextmanager
    def executing() -> Iterator[Executor]:
        yield Here(lasts.pop(0) if lasts else 10**6)

    return executing


def run_for(seconds: float, folder: Path, executing: Any) -> Any:
    """A campaign of a client of that target."""
    return run_campaign(Chosen(NAME), ["client"], hours=seconds / 3600, folder=folder, executing=executing, at_once=2)


def test_a_deep_fault_is_found_and_its_sequence_shows_it(tmp_path: Path) -> None:
    """Workers are lost twice, the jobs are done again, and the fault's shortest sequence is printed and repeats."""
    report = run_for(2.5, tmp_path, here(1, 2))
    first = min((each for each in report.unexplained if "messag" in each.got), key=lambda each: len(each.steps))
    assert len(first.steps) <= 12
    again = replay(NAME, "client", *first.steps)
    assert again is not None
    assert (again.call, again.got) == (first.call, first.got)
    state = json.loads((tmp_path / STATE).read_text())
    assert state["lost"] == 2
    assert 'http-equiv="refresh"' in (tmp_path / PAGE).read_text()


def test_a_campaign_goes_on_from_its_folder(tmp_path: Path) -> None:
    """The second run counts on from the first; another campaign's folder, and a file that is none, are refused."""
    run_for(0.3, tmp_path, here())
    before = json.loads((tmp_path / STATE).read_text())
    run_for(before["seconds"] + 0.3, tmp_path, here())
    after = json.loads((tmp_path / STATE).read_text())
    assert after["next"] > before["next"]
    assert after["roles"]["client"]["steps"] > before["roles"]["client"]["steps"]
    with pytest.raises(BadCampaign, match="another campaign"):
        run_campaign(Chosen("memory"), ["client"], hours=1, folder=tmp_path, executing=here(), at_once=1)
    (tmp_path / STATE).write_text("[]")
    with pytest.raises(BadCampaign, match="not a campaign"):
        run_for(1, tmp_path, here())


def test_a_job_has_the_same_result_again() -> None:
    """A job that was lost finds the same when it is done again."""
    first, second = (run_job(Job(3, Chosen(NAME), "client")) for _ in range(2))
    assert first.result.steps == second.result.steps
    assert [each.steps for each in first.result.divergences] == [each.steps for each in second.result.divergences]


def test_the_command_runs_a_campaign_in_processes(tmp_path: Path) -> None:
    """Two processes of this machine make jobs, and the report is the usual one."""
    folder = str(tmp_path / "campaign")
    options = "--role", "server", "--campaign", "0.0005", "--workers", "1", "--folder", folder
    ran = run_command("conform", "memory", *options, seconds=120)  # on a busy machine two processes take long to begin
    assert (ran.returncode, "passes" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    workers = json.loads((tmp_path / "campaign" / STATE).read_text())["workers"]
    assert all(int(each.rpartition(":")[2]) != os.getpid() for each in workers)


IMPATIENT = """
import sys
from lifecycle.cli.app import app
from lifecycle.conformance.campaigns import campaign
campaign.ANSWERS_WITHIN = 0.3
app(sys.argv[1:])
"""


@pytest.mark.skipif(find_spec("distributed") is None, reason="the extra `cluster` is not installed")
@pytest.mark.parametrize("address", ["127.0.0.1:{}", "nonsense"])
def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path, address: str) -> None:
    """Where nobody listens, and for what is not an address: wrong usage, with the address and what to start."""
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        where = address.format(bound.getsockname()[1])
        arguments = "conform", "memory", "--campaign", "1", "--scheduler", where, "--folder", str(tmp_path)
        ran = subprocess.run(  # a process of its own, as distributed leaves a thread behind
            (sys.executable, "-c", IMPATIENT, *arguments),
            env=environment(300),
            capture_output=True,
            text=True,
            timeout=PROGRAM_ENDS,
            check=False,
        )
    assert ran.returncode == 2, ran.stderr
    assert f"no scheduler answers at '{where}'" in ran.stderr
    assert "start `dask scheduler`" in ran.stderr
