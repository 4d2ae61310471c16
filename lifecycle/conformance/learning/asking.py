"""Runs words of steps (calls and peer actions in any order) on an implementation, each word on a new object.

Answers are kept. A word with a new answer is run some more times; that it varies is a finding, and the most frequent answer
counts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from lifecycle.conformance.adapters.effects import SHOWS
from lifecycle.conformance.adapters.peers import DatagramPeer, StreamPeer
from lifecycle.conformance.adapters.protocol import Mismatch
from lifecycle.conformance.adapters.session import LoopbackStage
from lifecycle.conformance.adapters.sockets import is_refusal
from lifecycle.conformance.driving.sequences import model_for
from lifecycle.conformance.driving.watchdog import WATCHDOG, Hangs
from lifecycle.conformance.model.environment import Facts, PeerAction, Provocation, Under
from lifecycle.conformance.model.graph import ILLEGAL, Model
from lifecycle.engine import Role

Word = tuple[str, ...]

NOT_POSSIBLE, DONE = "-", "."
"""the answers of peer actions"""
NOTHING, FAILED, OK = "nothing", "failed", "ok"
TIMES = 5
REFUSED = "refused"
"""the meaning of an answer that refused the call in any way; any other means an outcome of the role"""


class TimeIsOver(Exception):
    """The time limit is over."""


@dataclass(frozen=True, slots=True)
class Wavering:
    """A word with more than one answer: the answers to its last step, with the frequency of each."""

    word: Word
    answers: dict[str, int]

    def __str__(self) -> str:
        said = ", ".join(f"{answer} ({times})" for answer, times in self.answers.items())
        return f"{' > '.join(self.word)}: {said}"


def letters_of(model: Model) -> list[str]:
    """The steps that are worth trying: calls without circumstances, and peer actions.

    Of the ways to make a call, the quick one that may wait, and each choice of outcome; of calls with equal rows everywhere,
    the first.
    """
    choices = {"", *(outcome.name for outcome in model.role.outcomes)}
    plain: dict[tuple[str, str], Provocation] = {}
    for each in model.offered:
        if each.how in choices and not each.is_slow and (each.under is Under.PATIENTLY or (each.call, each.how) not in plain):
            plain[each.call, each.how] = each
    chosen: dict[object, str] = {}
    for each in plain.values():
        edges = [edge for node in model.nodes for edge in node.edges if edge.label == each.label]
        if any(edge.outcome not in (ILLEGAL, FAILED) for edge in edges):
            chosen.setdefault(tuple((edge.source.number, edge.outcome, edge.target.number) for edge in edges), each.label)
    actions = (each.label for each in model.environment.peer_actions if each.adds and not each.drops)
    return [*chosen.values(), *actions]


@dataclass
class Asked:
    """An implementation that answers words. ends: the time limit, as of time.monotonic()."""

    adapter: Any
    role: Role
    ends: float = float("inf")
    steps: int = 0
    words: int = 0
    meanings: dict[str, str] = field(default_factory=dict)
    """answer -> the outcome that it means, or REFUSED"""
    wavering: dict[Word, Wavering] = field(default_factory=dict)
    _known: dict[Word, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model = model_for(self.adapter, self.role)
        self.letters = letters_of(self.model)
        steps = self.model.environment.steps.items()
        self._makers = {
            label
            for label, step in steps
            if isinstance(step, Provocation) and not self.adapter.offers(self.role, step, legal=False)
        }
        """steps that make an object, and cannot be tried on an existing one"""

    def query(self, word: Word) -> list[str]:
        """The answers to the steps of a word."""
        known = [self._known.get(word[: end + 1]) for end in range(len(word))]
        return self._settled(word) if None in known else [each for each in known if each is not None]

    def _settled(self, word: Word) -> list[str]:
        answers = self.ask(word)
        for end, answer in enumerate(answers, 1):
            part = word[:end]
            before = self._known.setdefault(part, answer)
            if before != answer and part not in self.wavering:
                heard = Counter([before, answer, *(self.ask(part)[-1] for _ in range(TIMES))])
                self.wavering[part] = Wavering(part, dict(heard))
            if before != answer:  # later steps do not matter
                return [
                    *answers[: end - 1],
                    *(self._known.setdefault(word[:later], answers[later - 1]) for later in range(end, len(word) + 1)),
                ]
        return answers

    def ask(self, word: Word) -> list[str]:
        """The answers of a new object, without using known answers. Raises TimeIsOver."""
        if time.monotonic() > self.ends or WATCHDOG.has_given_up:
            raise TimeIsOver
        self.words += 1
        self.steps += len(word)
        stage = None
        answers: list[str] = []
        try:
            with WATCHDOG:
                stage = self.adapter.stage(self.role)
                is_made = False
                for letter in word:
                    possible = not (is_made and letter in self._makers)
                    answers.append(self._step(stage, letter) if possible else NOT_POSSIBLE)
                    is_made |= letter in self._makers and self.meanings.get(answers[-1]) == OK
        except Hangs as error:
            answers.append(str(error) or "hangs")
        except Mismatch as mismatch:
            answers.append(str(mismatch.got))
        finally:
            if stage is not None:
                WATCHDOG.close(stage)
        return answers + [answers[-1] if answers else NOTHING] * (len(word) - len(answers))

    def _step(self, stage: Any, letter: str) -> str:
        WATCHDOG.end()
        WATCHDOG.begin()
        step = self.model.environment.steps[letter]
        if isinstance(step, PeerAction):
            return self._act(stage, step)
        try:
            answer = stage.call(step)
        except (Mismatch, OSError):
            return NOT_POSSIBLE
        said: str = answer.detail or answer.outcome
        if isinstance(answer.value, bytes):
            said = "data" if answer.value else said
        self.meanings[said] = REFUSED if answer.outcome in (ILLEGAL, FAILED) or is_refusal(answer) else answer.outcome
        self._settle(stage, {"answered"} if answer.outcome == "pending" else ())
        return said

    def _act(self, stage: LoopbackStage, action: PeerAction) -> str:
        try:
            if not self._has_peer(stage):
                return NOT_POSSIBLE
            stage.act(action.name)
        except (Mismatch, OSError):
            return NOT_POSSIBLE
        self._settle(stage, action.adds)
        return DONE

    def _settle(self, stage: LoopbackStage, facts: Any) -> None:
        with suppress(OSError):  # it is closed, as its next call shows
            stage.settle(frozenset(Facts(facts) & SHOWS.keys()))

    def _has_peer(self, stage: LoopbackStage) -> bool:
        """Whether there is a peer that can act, without waiting for one."""
        peer = stage.peer
        if isinstance(peer, DatagramPeer):
            return bool(stage.address()[1])
        if isinstance(peer, StreamPeer) and not peer.is_there:
            connection = stage.loopback.accept_if_arrived(stage.address(), is_due=False)
            if connection is None:
                return False
            peer.replace(connection)
        return True


def wavering_words(asked: Asked) -> Iterator[Wavering]:
    """The shortest ones: the steps after a wavering one waver, too."""
    for word in sorted(asked.wavering, key=len):
        if not any(word[:end] in asked.wavering for end in range(1, len(word))):
            yield asked.wavering[word]
