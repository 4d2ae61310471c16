"""A job of a campaign: some long walks, or a Hypothesis machine, of one role; it is done again with the same result.

Jobs run in processes of this machine or of a cluster. Later jobs get the findings of earlier ones, so that known causes are not
shrunk again, and the examples of Hypothesis's database.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.process import BaseProcess
from typing import Any

from lifecycle.conformance.campaigns.renewing import Renewing
from lifecycle.conformance.driving.results import RoleResult
from lifecycle.conformance.driving.run import NonConformance
from lifecycle.conformance.driving.sequences import model_for, walk
from lifecycle.conformance.driving.watchdog import WATCHDOG
from lifecycle.conformance.model.graph import Model
from lifecycle.conformance.targets import target_named

WALKS, LENGTH = 40, 250
MACHINE_EVERY = 6
"""one of this number of jobs is a Hypothesis machine, as long as its role has no findings"""
EXAMPLES, STEPS = 20, 60

Line = tuple[str, ...]
Examples = Mapping[bytes, frozenset[bytes]]
"""the content of a database of Hypothesis"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The target of a campaign: the arguments of target_named()."""

    target: str
    engine: str | None = None
    like: str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One job. number: its seed. known: lines of causes that were found already."""

    number: int
    chosen: Chosen
    role: str
    known: frozenset[Line] = frozenset()
    examples: Examples | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The findings of a job, and where it ran. examples: those that Hypothesis has kept."""

    job: Job
    result: RoleResult
    worker: str
    examples: Examples | None = None


_ADAPTERS: dict[tuple[Chosen, int], Renewing] = {}
_MODELS: dict[tuple[Chosen, str], Model] = {}
"""the targets of this process, made once"""


def prepare_worker() -> None:
    """Leave Ctrl-C to the process that gives out the jobs, and end when that process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def run_job(job: Job) -> Done:
    """Do a job. Raises UnknownTarget if the implementation cannot be made here."""
    place = (job.chosen, threading.get_ident())  # an adapter serves one thread
    target = target_named(job.chosen.target, engine=job.chosen.engine, like=job.chosen.like, host=job.chosen.host)
    if place not in _ADAPTERS:
        _ADAPTERS[place] = Renewing(target.adapter)
    adapter, role = _ADAPTERS[place], target.role_named(job.role)
    assert role is not None
    model = _MODELS.setdefault((job.chosen, job.role), model_for(adapter, role))
    result = RoleResult(role.name, model.cells, frozenset(model.first_edges))
    examples = job.examples
    with WATCHDOG.watching():
        if job.number % MACHINE_EVERY == MACHINE_EVERY - 1 and not job.known and find_spec("hypothesis") is not None:
            examples = _run_machine(job, model, target.adapter, result)
        else:
            walk(adapter, model, walks=WALKS, length=LENGTH, seed=job.number, into=result, known=job.known, deep=True)
    result.trails.clear()
    result.recent.clear()
    return Done(job, result, f"{os.uname().nodename if hasattr(os, 'uname') else 'here'}:{os.getpid()}", examples)


def _run_machine(job: Job, model: Model, make: object, result: RoleResult) -> Examples:
    from hypothesis import HealthCheck, seed, settings
    from hypothesis.database import InMemoryExampleDatabase

    from lifecycle.conformance.driving.machine import conformance_machine, run_machine

    database: Any = InMemoryExampleDatabase()
    for key, values in (job.examples or {}).items():
        for value in values:
            database.save(key, value)
    machine = conformance_machine(model.role, make)  # type: ignore[arg-type]
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        database=database,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    try:
        run_machine(seed(job.number)(machine), chosen)
    except NonConformance as error:
        result.divergences.append(error.divergence)
    for (_, *cell), times in machine.coverage.reached.items():
        state, call, outcome = cell
        result.reached[state, call, outcome] += times
        result.steps += times
    result.sequences += EXAMPLES
    return {key: frozenset(values) for key, values in database.data.items()}
