"""Learns the machine of a target with AALpy: what it cannot tell apart by asking is one state.

The role is the first who knows better: where the machine that is guessed differs from it, one of the two is wrong about the
target, which is asked. Then each step of each state is followed by words that are drawn.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from aalpy.base import SUL, Oracle
from aalpy.learning_algs import run_KV

from lifecycle.conformance.campaigns.conform import closing_in_time
from lifecycle.conformance.campaigns.renewing import Renewing
from lifecycle.conformance.driving.sequences import replayed
from lifecycle.conformance.driving.watchdog import WATCHDOG
from lifecycle.conformance.learning.asking import Asked, TimeIsOver, Wavering, Word, wavering_words
from lifecycle.conformance.learning.machine import Difference, Machine, Table
from lifecycle.conformance.model.graph import Model
from lifecycle.conformance.targets import Target
from lifecycle.engine import Role

PART_TO_CHECK = 0.2
"""of the budget, kept for showing the differences again"""


@dataclass
class Learned:
    """What was found. differences: from the role, all of them shown again. wavering: words with more than one answer."""

    machine: Machine
    model: Model
    differences: list[Difference] = field(default_factory=list)
    wavering: list[Wavering] = field(default_factory=list)
    words: int = 0
    steps: int = 0
    seconds: float = 0.0


class _Answers(SUL):  # type: ignore[misc]  # AALpy has no types
    """The target, as AALpy asks it."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self._asked = asked

    def query(self, word: Word) -> list[str]:
        return self._asked.query(tuple(word))

    def pre(self) -> None: ...

    def post(self) -> None: ...

    def step(self, letter: str) -> str:
        raise NotImplementedError


class _Differs(Oracle):  # type: ignore[misc]
    """Finds words that the machine which is guessed answers wrongly: by the role, then by chance."""

    def __init__(self, asked: Asked, answers: _Answers, machine_of: Callable[[Any], Machine]) -> None:
        super().__init__(asked.letters, answers)
        self._asked, self._machine_of, self._chance = asked, machine_of, random.Random(0)
        self.guessed: Machine | None = None
        self._drawn: list[Word] = []
        self._tried: set[Word] = set()

    def find_cex(self, hypothesis: Any) -> Word | None:
        guessed = self.guessed = self._machine_of(hypothesis)
        for word in self._candidates(guessed):
            answers = self._asked.query(word)
            for end in range(1, len(word) + 1):
                if guessed.answer(word[:end]) != answers[end - 1]:
                    return word[:end]
        return None

    def _candidates(self, guessed: Machine) -> Iterator[Word]:
        yield from self._drawn  # what is known costs nothing
        yield from (each.word for each in sorted(guessed.differences(self._asked.model), key=lambda each: len(each.word)))
        for state, way in guessed.words().items():
            for word in self._beyond(guessed.table, state):
                if (*way, *word[:2]) not in self._tried:
                    self._tried.add((*way, *word[:2]))
                    self._drawn.append((*way, *word))
                    yield self._drawn[-1]

    def _beyond(self, table: Table, state: int) -> Iterator[Word]:
        """Words of a step, one that leads on, and there all that do not: what the step has left behind shows in one of them.

        After a step that leads on itself, one way is enough: where it leads, all are tried.
        """
        stays = [[letter for letter, (_, after) in row.items() if after == number] for number, row in enumerate(table)]
        for letter, (_, after) in table[state].items():
            ways = [
                (on, then) for on, (_, then) in table[after].items() if then != after and len(stays[then]) < len(table[then])
            ]
            if after != state:
                ways = ways[:1]
            for on, then in ways:
                yield (letter, on, *self._chance.sample(stays[then], len(stays[then])))
            if not ways:
                yield (letter, *self._chance.sample(stays[after], len(stays[after])))


def learn(target: Target, role: Role, *, seconds: float | None = None) -> Learned:
    """Learn what a target does in a role. seconds: what it may take; then the machine is the best guess so far.

    Raises KeyError where the target does not have the role, and UnknownTarget where it cannot be made.
    """
    began = time.monotonic()
    budget = float("inf") if seconds is None else seconds
    with WATCHDOG.watching(), closing_in_time(target.name, lambda: Renewing(target.adapter)) as adapter:
        asked = Asked(adapter, role, began + budget * (1 - PART_TO_CHECK))

        def machine_of(hypothesis: Any) -> Machine:
            numbers = {state: number for number, state in enumerate(_first_first(hypothesis))}
            table = tuple(
                {letter: (state.output_fun[letter], numbers[state.transitions[letter]]) for letter in asked.letters}
                for state in numbers
            )
            return Machine(target.name, role.name, tuple(asked.letters), table, asked.meanings)

        answers = _Answers(asked)
        oracle = _Differs(asked, answers, machine_of)
        try:
            found = run_KV(list(asked.letters), answers, oracle, "mealy", cache_and_non_det_check=False, print_level=0)
            machine = machine_of(found)
        except TimeIsOver:
            if oracle.guessed is None:
                raise
            machine = replace(oracle.guessed, whole=False)
        learned = Learned(machine, asked.model)
        asked.ends = began + budget
        learned.differences = list(_shown_again(machine, asked))
        learned.wavering = list(wavering_words(asked))
    learned.words, learned.steps, learned.seconds = asked.words, asked.steps, time.monotonic() - began
    return learned


def _first_first(hypothesis: Any) -> list[Any]:
    return [hypothesis.initial_state, *(state for state in hypothesis.states if state is not hypothesis.initial_state)]


def _shown_again(machine: Machine, asked: Asked) -> Iterator[Difference]:
    """The differences from the role that the suite shows, too, and what explains them; what does not repeat wavers."""
    for each in machine.differences(asked.model):
        try:
            said = asked.ask(each.word)[-1]
        except TimeIsOver:
            return
        if said == each.got:
            found = replayed(asked.adapter, asked.model, each.word)
            if found is not None:
                yield replace(each, expected=found.expected, got=found.got, explanation=found.explanation)
        else:
            asked.wavering.setdefault(each.word, Wavering(each.word, {each.got: 1, said: 1}))
