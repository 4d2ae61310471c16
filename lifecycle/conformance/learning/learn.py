"""Learns the machine of a target with AALpy; states that no word distinguishes are one.

The role is the first source of counterexamples: where the hypothesis differs from it, one of them is wrong about the target,
which is then asked. After that, random words follow each step of each state.
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
"""the part of the time limit kept for repeating the differences"""


@dataclass
class Learned:
    """The result. differences: from the role, all of them repeated. wavering: words with more than one answer."""

    machine: Machine
    model: Model
    differences: list[Difference] = field(default_factory=list)
    wavering: list[Wavering] = field(default_factory=list)
    words: int = 0
    steps: int = 0
    seconds: float = 0.0


class _Answers(SUL):  # type: ignore[misc]  # AALpy has no types
    """The target, as AALpy's system under learning."""

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
    """Finds words that the hypothesis answers wrongly: by the role, then at random."""

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
        yield from self._drawn  # known answers cost nothing
        yield from (each.word for each in sorted(guessed.differences(self._asked.model), key=lambda each: len(each.word)))
        for state, way in guessed.words().items():
            for word in self._beyond(guessed.table, state):
                if (*way, *word[:2]) not in self._tried:
                    self._tried.add((*way, *word[:2]))
                    self._drawn.append((*way, *word))
                    yield self._drawn[-1]

    def _beyond(self, table: Table, state: int) -> Iterator[Word]:
        """Words of a step, a step that leads on, and then all steps that do not.

        One of them shows a hidden effect of the first step. After a step that itself leads on, one way is enough, since all are
        tried at its next state.
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
    """Learn the machine of a target in a role.

    seconds: the time limit; the machine is then the best hypothesis so far. Raises KeyError if the target does not have the
    role, and UnknownTarget if it cannot be made.
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
    """The differences from the role that the suite shows, too, with their explanations; those that do not repeat waver."""
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
