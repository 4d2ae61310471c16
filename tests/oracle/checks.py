"""The checks of one runtime against lifecycle.archive: each counts what it compared, and names what has no reason."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from lifecycle.archive import Archive

from .agent import Agent
from .damaged import loads
from .differences import Answers, reason_of, reason_to_refuse
from .graphs import cases
from .maps import map_difference
from .reading import Reading
from .sequences import Maker, damaged
from .storing import WRITTEN, stored_here
from .text import blob
from .vectors import operations

DAMAGED_EACH = 4  # variants of one sequence
MAY_CLAIM_MUCH = b"\xff\xff\xff"  # MFC reserves what a damaged length claims, gigabytes, or hangs


@dataclass
class Report:
    """What a check compared; `reasons` counts the differences that are explained, `unexplained` has the others."""

    name: str
    compared: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)

    def differ(self, reason: str | None, text: str) -> None:
        """Count a difference."""
        if reason is None:
            self.unexplained.append(text)
        else:
            self.reasons[reason] += 1


def check_stores(agent: Agent) -> Report:
    """Every operation is stored to the same bytes."""
    report = Report("stores")
    for case in cases(agent.runtime.unicode):
        real = agent.stored(case.tokens, case.setup, case.buffer)
        report.compared += 1
        try:
            here = f"ok {blob(stored_here(case, agent.runtime.unicode))}"
        except ValueError as failure:
            report.differ(reason_to_refuse(case.name, failure), f"{case.name}: {real} there, {failure!r} here")
            continue
        if real != here:
            report.differ(None, f"{case.name}: {real[:200]} there, {here[:200]} here")
    return report


def compare(agent: Agent, report: Report, name: str, data: bytes, tokens: str, buffer: int = 4096) -> None:
    """Load the same bytes by both."""
    reading = Reading(agent.runtime.unicode)
    real, here = agent.loaded(data, tokens, buffer), reading.answer(data, tokens, buffer=buffer)
    report.compared += 1
    if real != here:
        reason = reason_of(Answers(data, tokens, real, here, reading.failure))
        line = f"{name}: {data[:60].hex()} ({len(data)}) by {tokens}: {real[-160:]} there, {here[-160:]} here"
        report.differ(reason.text if reason else None, line)


def check_loads(agent: Agent, *, every: int = 1) -> Report:
    """Every stream loads to the same values or the same error; `every` takes each n-th of them."""
    report = Report("loads")
    for load in loads(agent.runtime.unicode)[::every]:
        compare(agent, report, load.name, load.data, load.tokens)
    return report


def check_sequences(agent: Agent, number: int, seed: int) -> Report:
    """Random sequences are stored to the same bytes and loaded to the same values, and so are damaged ones."""
    report = Report("random sequences")
    random = Random(seed)
    maker = Maker(random, agent.runtime.unicode)
    for _ in range(number):
        sequence = maker.sequence()
        real = agent.stored(" ".join(sequence.store), sequence.setup)
        file = io.BytesIO()
        with Archive(file, "store", registry=WRITTEN, depth=10_000, unicode=agent.runtime.unicode) as archive:
            for step in sequence.steps:
                step(archive)
        data, tokens = file.getvalue(), " ".join(sequence.load)
        report.compared += 1
        if real != f"ok {blob(data)}":
            report.differ(None, f"stored {sequence.setup} {sequence.store}: {real[:300]} there, {data.hex()[:300]} here")
        compare(agent, report, "valid", data, tokens, random.choice((128, 4096)))
        for _ in range(DAMAGED_EACH):
            other = damaged(data, random)
            if MAY_CLAIM_MUCH not in other:
                compare(agent, report, "damaged", other, tokens)
    return report


def check_maps(agent: Agent, number: int, seed: int) -> Report:
    """Random maps go from MFC to here and back; MFC's order is that of its hash, so they are compared as sets."""
    report = Report("random maps")
    random = Random(seed)
    for _ in range(number):
        report.compared += 1
        if (difference := map_difference(agent, random)) is not None:
            report.differ(None, difference)
    return report


def check_vectors(agent: Agent) -> Report:
    """The project's golden vectors that the DLL reaches are what the real MFC writes."""
    report = Report("golden vectors")
    rows = json.loads((Path(__file__).parent.parent / "archive" / "vectors.json").read_text(encoding="utf-8"))
    wanted = {row["name"]: row["hex"] for row in rows}
    for name, (setup, tokens) in operations(agent.runtime.unicode).items():
        report.compared += 1
        real = agent.stored(tokens, setup)
        if real.removeprefix("ok ") != wanted[name]:
            report.differ(None, f"{name}: {real} there, {wanted[name]} in the vector")
    return report


Check = Callable[[Agent], Report]


def archive_checks(sequences: int, maps: int, every: int, seed: int) -> Sequence[Check]:
    """The checks that need the archive agent."""
    return (
        check_stores,
        lambda agent: check_loads(agent, every=every),
        lambda agent: check_sequences(agent, sequences, seed),
        lambda agent: check_maps(agent, maps, seed),
        check_vectors,  # the last: it declares a class of the vectors that is named like one of the others
    )
