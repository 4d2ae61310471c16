"""A machine is learned by asking; it is compared with its role and with an earlier one, and what wavers is a finding."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from cli.command import run_command
from schemas import validated

from lifecycle import SERVER
from lifecycle.conformance import replay, target_named, target_of
from lifecycle.conformance.learning.learn import Learned, learn
from lifecycle.conformance.learning.machine import BadMachine, read_machine
from lifecycle.conformance.memory import MemorySockets, MemoryStream


class BindsTwice(MemoryStream):
    """Answers a second bind() as if it were the first."""

    def bind(self, address: tuple[str, int]) -> None:
        self.port = 0
        super().bind(address)


class Wavers(MemoryStream):
    """Refuses every second bind() or so."""

    chance = random.Random(2)

    def bind(self, address: tuple[str, int]) -> None:
        if self.chance.random() < 0.5:
            raise OSError(22, "not now")
        super().bind(address)


@pytest.fixture(scope="module")
def memory() -> Learned:
    """The server of the sockets in memory."""
    return learn(target_named("memory"), SERVER)


@pytest.fixture(scope="module")
def twice() -> Learned:
    """One that has a fault."""
    return learn(target_of("twice", MemorySockets(BindsTwice)), SERVER)


def test_every_state_and_answer_is_learned(memory: Learned) -> None:
    """Each state has an answer to each step, and each state of the role that can be provoked is among them."""
    assert memory.machine.whole
    assert all(set(row) == set(memory.machine.letters) for row in memory.machine.table)
    assert {"empty", "open", "bound", "listening", "closed"} <= set(memory.machine.names(memory.model).values())
    assert memory.wavering == []


def test_a_fault_is_a_difference_that_is_shown_again(memory: Learned, twice: Learned) -> None:
    """A second bind() that succeeds is a difference from the role, and its steps show it in the suite, too."""
    assert not [each for each in memory.differences if each.letter == "bind"]
    found = next(each for each in twice.differences if each.letter == "bind")
    again = replay(target_of("twice", MemorySockets(BindsTwice)).adapter, SERVER, *found.word)
    assert again is not None
    assert (again.expected, again.got) == (found.expected, found.got)


def test_machines_are_compared(memory: Learned, twice: Learned, tmp_path: Path) -> None:
    """A machine that was saved is read again, does not differ from itself, and differs where the fault is."""
    file = tmp_path / "before.json"
    file.write_text(json.dumps(memory.machine.data()))
    before = read_machine(file)
    assert before == memory.machine
    assert memory.machine.against(before) == []
    assert {each.letter for each in twice.machine.against(before)} == {"bind"}
    for text in ("[]", "{}", '{"version": 99}', "no"):
        file.write_text(text)
        with pytest.raises(BadMachine):
            read_machine(file)


def test_the_picture_has_the_role_in_grey_and_differences_in_red(twice: Learned) -> None:
    """What differs is red, what is as the role says is grey."""
    lines = twice.machine.picture(twice.model).splitlines()
    assert any('"bound" -> "bound"' in line and "bind: ok" in line and "color=red" in line for line in lines)
    assert any('"bound" -> "listening"' in line and "color=gray60" in line for line in lines)


def test_answers_that_waver_are_a_finding() -> None:
    """An implementation that answers now so and now otherwise is learned nevertheless, and the step is named."""
    found = learn(target_of("wavers", MemorySockets(Wavers)), SERVER, seconds=2)
    assert any("bind" in each.word[-1] or "create" in each.word[-1] for each in found.wavering)
    assert all(len(each.answers) > 1 for each in found.wavering)


def test_the_command_prints_saves_and_compares(tmp_path: Path) -> None:
    """The page has states and answers; a comparison with the same machine exits with 0, whatever the role says."""
    file = tmp_path / "before.json"
    ran = run_command("learn", "memory", "--role", "server", "--save", str(file))
    assert (ran.returncode, "differs from the role" in ran.stdout) == (0, True)
    ran = run_command("learn", "memory", "--role", "server", "--compare", str(file), "--json")
    assert (ran.returncode, validated("learn", ran.stdout)["changed"]) == (0, [])
    validated("learn", file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("option", "does"), [("--save", "write"), ("--picture", "write"), ("--compare", "read")])
def test_a_file_that_cannot_be_had_is_told_before_anything_is_learned(tmp_path: Path, option: str, does: str) -> None:
    """A folder that does not exist is wrong usage of that option, told before the target is looked for."""
    file = tmp_path / "nowhere" / "machine.svg"
    ran = run_command("learn", "no target", option, str(file), columns=300)
    assert ran.returncode == 2
    assert f"Invalid value for {option}: cannot {does} {file}: No such file or directory" in ran.stderr
