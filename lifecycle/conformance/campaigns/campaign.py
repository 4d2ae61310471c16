"""A campaign: jobs without end, in processes of this machine or of a cluster, until its time is over.

Its folder has the findings: `campaign.json`, from which it continues, and `progress.html`, which reloads itself in a browser.
Jobs of a lost worker are given out again.
"""

from __future__ import annotations

import base64
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from lifecycle.conformance.campaigns.conform import Conformance, confirm
from lifecycle.conformance.campaigns.jobs import Chosen, Done, Job, prepare_worker, run_job
from lifecycle.conformance.driving.results import RoleResult
from lifecycle.conformance.driving.run import Divergence
from lifecycle.conformance.driving.watchdog import OVER, WATCHDOG
from lifecycle.conformance.reports import html_page
from lifecycle.conformance.targets import Target, UnknownTarget, target_named
from lifecycle.system.output import write_whole

VERSION = 1
STATE, PAGE = "campaign.json", "progress.html"
EACH = 8
"""the number of sequences kept of one cause"""
FRESH = 2.0  # seconds after which files are written again
ANSWERS_WITHIN = 10  # seconds, of a scheduler
LOST = 20
"""how many times in a row workers may be lost"""

Executing = Callable[[], AbstractContextManager[Executor]]


class BadCampaign(ValueError):
    """A folder contains another campaign, or something else; the text says which."""


class NoScheduler(OSError):
    """No scheduler answers at an address; the text names it, and says what to start."""


@dataclass
class Campaign:
    """The findings so far. pending: numbers of jobs that were given out and are not done."""

    chosen: Chosen
    roles: dict[str, RoleResult]
    folder: Path
    next: int = 0
    pending: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    lost: int = 0
    workers: dict[str, int] = field(default_factory=dict)
    """worker -> the number of steps it has made"""
    examples: dict[bytes, frozenset[bytes]] = field(default_factory=dict)

    def job(self) -> Job:
        """The next job."""
        names = list(self.roles)
        number, self.next = self.next, self.next + 1
        self.pending[number] = names[number % len(names)]
        return self.again(number)

    def again(self, number: int) -> Job:
        """The job with that number."""
        role = self.pending[number]
        known = frozenset(each.line for each in self.roles[role].unexplained)
        return Job(number, self.chosen, role, known, self.examples)

    def take(self, done: Done) -> None:
        """Add the findings of a job, and keep the shortest sequences of each cause."""
        if self.pending.pop(done.job.number, None) is None:
            return  # it was given out twice
        result = self.roles[done.job.role]
        result.merge(done.result)
        groups: dict[tuple[str, ...], list[Divergence]] = {}
        for each in sorted(result.divergences, key=lambda each: len(each.steps)):
            groups.setdefault(each.line, []).append(each)
        result.divergences = [each for group in groups.values() for each in group[:EACH]]
        self.workers[done.worker] = self.workers.get(done.worker, 0) + done.result.steps
        for key, values in (done.examples or {}).items():
            self.examples[key] = self.examples.get(key, frozenset()) | values

    def report(self) -> Conformance:
        """The campaign as a report of the suite."""
        found = [replace(each, offered=frozenset(each.reached)) for each in self.roles.values()]
        return Conformance(self.chosen.target, 0, 0, self.next, found, stopped=OVER, seconds=self.seconds)

    def write(self) -> None:
        """Write the file from which it continues, and the page."""
        state = {
            "version": VERSION,
            "chosen": asdict(self.chosen),
            "next": self.next,
            "pending": {str(number): role for number, role in self.pending.items()},
            "seconds": self.seconds,
            "lost": self.lost,
            "workers": self.workers,
            "examples": [[_text(key), *map(_text, values)] for key, values in self.examples.items()],
            "roles": {name: _role_data(each) for name, each in self.roles.items()},
        }
        write_whole(self.folder / STATE, json.dumps(state))
        report, steps = self.report(), sum(each.steps for each in self.roles.values())
        rate = f"{steps:,} steps in {self.seconds / 3600:.2f} h ({steps / max(self.seconds, 1):,.0f} a second)"
        workers = f"{len(self.workers)} workers so far, {self.lost} lost"
        page = html_page(report, f"{rate}, {self.next} jobs, {workers}")
        write_whole(self.folder / PAGE, page.replace("<style>", '<meta http-equiv="refresh" content="5">\n<style>', 1))

    def read(self) -> None:
        """Continue from the folder. Raises BadCampaign if that contains something else."""
        file = self.folder / STATE
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            if (data["version"], data["chosen"]) != (VERSION, asdict(self.chosen)):
                raise BadCampaign(f"{file} is of another campaign: {data['chosen']}")
            self.next, self.seconds, self.lost = data["next"], data["seconds"], data["lost"]
            self.pending = {int(number): role for number, role in data["pending"].items() if role in self.roles}
            self.workers = data["workers"]
            self.examples = {_bytes(key): frozenset(map(_bytes, values)) for key, *values in data["examples"]}
            for name in self.roles.keys() & data["roles"].keys():
                _fill_role(self.roles[name], data["roles"][name])
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError) as error:
            raise error if isinstance(error, BadCampaign) else BadCampaign(f"{file} is not a campaign: {error}") from error


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _role_data(result: RoleResult) -> dict[str, Any]:
    reached = [[*cell, times] for cell, times in result.reached.items()]
    divergences = [asdict(each) for each in result.divergences]
    counts = {"sequences": result.sequences, "steps": result.steps, "seconds": result.seconds}
    return {"reached": reached, "behind": sorted(result.behind), "divergences": divergences, **counts}


def _fill_role(result: RoleResult, data: dict[str, Any]) -> None:
    result.reached.update({(state, call, outcome): times for state, call, outcome, times in data["reached"]})
    result.behind.update((state, call, outcome) for state, call, outcome in data["behind"])
    for each in data["divergences"]:
        cell = each.pop("cell")
        steps = tuple(each.pop("steps"))
        result.divergences.append(Divergence(**each, steps=steps, cell=cell and (cell[0], cell[1], cell[2])))
    result.sequences, result.steps, result.seconds = data["sequences"], data["steps"], data["seconds"]


def local_workers(count: int) -> Executing:
    """Worker processes on this machine."""

    def executing() -> AbstractContextManager[Executor]:
        return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=prepare_worker)

    return executing


def workers_of(address: str) -> Executing:
    """Workers of a scheduler of Dask's distributed. Raises ModuleNotFoundError without that, NoScheduler if nobody answers."""
    distributed: Any = import_module("distributed")  # whether or not it is installed where types are checked
    try:
        client = distributed.Client(address, timeout=ANSWERS_WITHIN)
    except (OSError, ValueError) as error:  # nobody is there, or it is not an address
        start = "start `dask scheduler`, which prints its address, and a `dask worker ADDRESS --nthreads 1` on each machine"
        raise NoScheduler(f"no scheduler answers at {address!r} ({error}): {start}") from error

    @contextmanager
    def executing() -> Iterator[Executor]:
        yield client.get_executor(pure=False, retries=LOST)

    return executing


def run_campaign(
    chosen: Chosen,
    roles: list[str],
    *,
    hours: float,
    folder: Path,
    executing: Executing,
    at_once: int,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Conformance:
    """Run jobs until that time is over, including the time before a stop; return the findings.

    Their shortest sequences are repeated at the end. at_once: how many jobs are given out. Raises BadCampaign where the folder
    holds another campaign, UnknownTarget.
    """
    target = target_named(chosen.target, engine=chosen.engine, like=chosen.like, host=chosen.host)
    campaign = Campaign(chosen, _roles_of(target, roles), folder)
    folder.mkdir(parents=True, exist_ok=True)
    campaign.read()
    WATCHDOG.stopped = ""
    limit, in_a_row = hours * 3600, 0
    while campaign.seconds < limit and not WATCHDOG.stopped and in_a_row < LOST:
        try:
            with executing() as executor:
                _give_out(campaign, executor, limit, at_once, progress)
            in_a_row = 0
        except BrokenExecutor:  # a worker was lost, and with it the others' jobs: they are given out again
            campaign.lost += 1
            in_a_row += 1
        campaign.write()
    report = campaign.report()
    if in_a_row:
        report.stopped = "workers are lost again and again"
    elif WATCHDOG.stopped:
        report.stopped = WATCHDOG.stopped
    WATCHDOG.stopped = ""
    confirm(target, report, [role for role in target.roles if role.name in campaign.roles])
    return report


def _roles_of(target: Target, names: list[str]) -> dict[str, RoleResult]:
    from lifecycle.conformance.driving.sequences import model_for

    adapter = target.adapter()
    found = {}
    try:
        for role in target.roles:
            if role.name in names:
                try:
                    model = model_for(adapter, role)
                except KeyError:
                    continue
                found[role.name] = RoleResult(role.name, model.cells, frozenset(model.first_edges))
    finally:
        adapter.close()
    if not found:
        raise UnknownTarget(f"{target.name} has none of these roles: {', '.join(names)}")
    return found


def _give_out(campaign: Campaign, executor: Executor, limit: float, at_once: int, progress: Any) -> None:
    running: set[Future[Done]] = {executor.submit(run_job, campaign.again(number)) for number in campaign.pending}
    written = last = time.monotonic()
    while running or campaign.seconds < limit:
        while len(running) < at_once and campaign.seconds < limit and not WATCHDOG.stopped:
            running.add(executor.submit(run_job, campaign.job()))
        if not running:
            break
        ended, running = wait(running, timeout=1, return_when=FIRST_COMPLETED)
        if WATCHDOG.beat is not None:
            WATCHDOG.beat(campaign.chosen.target, ())  # the run continues, although no step is made in this process
        now = time.monotonic()
        campaign.seconds, last = campaign.seconds + now - last, now
        for future in ended:
            campaign.take(future.result())
        if now - written > FRESH:
            campaign.write()
            written = time.monotonic()
            progress(campaign.chosen.target, int(campaign.seconds), int(limit))
