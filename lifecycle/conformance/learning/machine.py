"""A learned machine as data: stored, compared with the role, with an earlier machine, and drawn."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifecycle.conformance.learning.asking import DONE, REFUSED, Word
from lifecycle.conformance.model.graph import ILLEGAL, Edge, Model, Node

VERSION = 1
GREY, RED = "gray60", "red"


Table = tuple[Mapping[str, tuple[str, int]], ...]
"""state -> letter -> (answer, next state); the first state is that of a new object"""


class BadMachine(ValueError):
    """A file is not a learned machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between two machines, and the shortest word that shows it."""

    state: str
    letter: str
    expected: str
    got: str
    word: Word
    explanation: str = ""

    def __str__(self) -> str:
        return f"[{self.state}] {self.letter}: expected {self.expected}, learned {self.got}"


@dataclass(frozen=True, slots=True)
class Machine:
    """A learned machine. meanings: answer -> outcome of the role, or REFUSED. whole: whether learning was completed."""

    target: str
    role: str
    letters: tuple[str, ...]
    table: Table
    meanings: Mapping[str, str]
    whole: bool = True

    def answer(self, word: Word) -> str:
        """The answer to the last step of a word."""
        state, said = 0, ""
        for letter in word:
            said, state = self.table[state][letter]
        return said

    def words(self) -> dict[int, Word]:
        """The shortest word to each state."""
        found: dict[int, Word] = {0: ()}
        queue = deque([0])
        while queue:
            state = queue.popleft()
            for letter, (_, after) in self.table[state].items():
                if after not in found:
                    found[after] = (*found[state], letter)
                    queue.append(after)
        return found

    def names(self, model: Model) -> dict[int, str]:
        """state -> the state of the role that its shortest word leads to; "" if that word differs from the role."""
        return {learned: node for (learned, node), _ in reversed(list(self._beside(model)[1].items()))}

    def differences(self, model: Model) -> list[Difference]:
        """The differences from the role, each with its shortest word."""
        return self._beside(model)[0]

    def _beside(self, model: Model) -> tuple[list[Difference], dict[tuple[int, str], Word]]:
        found: dict[tuple[str, str, str, str], Difference] = {}
        begin = (0, model.start)
        seen: dict[tuple[int, Node], Word] = {begin: ()}
        queue: deque[tuple[int, Node]] = deque([begin])
        while queue:
            state, node = queue.popleft()
            word = seen[state, node]
            for letter in self.letters:
                edge = node.edge(letter)
                if edge is None:
                    continue
                said, after = self.table[state][letter]
                if not self._agrees(edge, said):
                    expected = "data" if _gives(edge) else str(edge.outcome or DONE)
                    key = (node.state, letter, expected, said)
                    found.setdefault(key, Difference(node.state, letter, expected, said, (*word, letter)))
                elif (after, edge.target) not in seen:
                    seen[after, edge.target] = (*word, letter)
                    queue.append((after, edge.target))
        return list(found.values()), {(state, node.state): word for (state, node), word in seen.items()}

    def _agrees(self, edge: Edge, said: str) -> bool:
        if not edge.is_call:
            return said == DONE
        meaning = self.meanings.get(said, said)
        if edge.outcome == ILLEGAL or edge.outcome == "failed":
            return meaning == REFUSED
        if _gives(edge) and said != "data":
            return False
        return meaning == edge.outcome or (meaning == REFUSED and edge.outcome in ("broken", "refused"))

    def against(self, earlier: Machine) -> list[Difference]:
        """The differences from an earlier machine, each with its shortest word."""
        letters = [each for each in self.letters if each in earlier.letters]
        found: dict[tuple[int, str], Difference] = {}
        seen: dict[tuple[int, int], Word] = {(0, 0): ()}
        queue = deque(seen)
        while queue:
            before, now = queue.popleft()
            word = seen[before, now]
            for letter in letters:
                (said, after), (expected, then) = self.table[now][letter], earlier.table[before][letter]
                if said != expected:
                    found.setdefault((now, letter), Difference(f"q{now}", letter, expected, said, (*word, letter)))
                elif (then, after) not in seen:
                    seen[then, after] = (*word, letter)
                    queue.append((then, after))
        return list(found.values())

    def data(self) -> dict[str, Any]:
        """The machine as JSON data."""
        table = [{letter: list(pair) for letter, pair in row.items()} for row in self.table]
        head = {"version": VERSION, "target": self.target, "role": self.role, "whole": self.whole}
        return {**head, "letters": list(self.letters), "meanings": dict(self.meanings), "table": table}

    def picture(self, model: Model) -> str:
        """The machine in DOT: transitions of the role in grey, differing ones in red."""
        arrows: dict[tuple[str, str, str], dict[str, None]] = {}
        for edge in (edge for node in model.nodes for edge in node.edges if edge.moves and edge.label in self.letters):
            arrows.setdefault((edge.source.state, edge.target.state, GREY), {})[edge.label] = None
        for each in self.differences(model):
            arrows.setdefault((each.state, each.state, RED), {})[f"{each.letter}: {each.got}"] = None
        return "\n".join(("digraph learned {", *_drawn(f"{self.target}: {self.role}", arrows), "}\n"))


def _gives(edge: Edge) -> bool:
    return isinstance(edge.gives, bytes) and bool(edge.gives)


def _drawn(title: str, arrows: Mapping[tuple[str, str, str], Mapping[str, None]]) -> Iterator[str]:
    yield f'  graph [label="{title}", labelloc=t, fontname=Helvetica, rankdir=TB];'
    yield f"  node [shape=box, style=rounded, color={GREY}, fontname=Helvetica];"
    yield "  edge [fontname=Helvetica, fontsize=10];"
    for (begin, end, colour), texts in arrows.items():
        text = "\\n".join(texts).replace('"', '\\"')
        yield f'  "{begin}" -> "{end}" [label="{text}", color={colour}, fontcolor={colour}];'


def read_machine(file: Path) -> Machine:
    """The machine in a file. Raises BadMachine, and OSError if it cannot be read."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["version"] != VERSION:
            raise BadMachine(f"{file} has version {data['version']}, not {VERSION}")
        table = tuple({letter: (str(said), int(after)) for letter, (said, after) in row.items()} for row in data["table"])
        return Machine(data["target"], data["role"], tuple(data["letters"]), table, data["meanings"], data["whole"])
    except (KeyError, TypeError, ValueError) as error:
        raise error if isinstance(error, BadMachine) else BadMachine(f"{file} is not a learned machine: {error}") from error
