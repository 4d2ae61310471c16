"""A role in a TOML file is the role that the same words in Python declare, and a wrong file is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifecycle import RoleError
from lifecycle.engine import Kind, Role, role_from_toml

PRINTER = """
name = "printer"
doc = "Prints pages."
initial = "off"
final = ["scrapped"]
closes = "scrap"

[states]
off = {doc = "Without power.", reason = "The printer is off"}
ready = "Waiting for a job."
scrapped = "Gone for good."

[calls]
start = "Switch it on."
print = {doc = "Print a page.", exclusive = true}
scrap = "Throw it away."

[outcomes]
empty = {doc = "No paper is left.", kind = "failure"}

[rows.off]
start = {ok = "ready", failed = "off"}
scrap = {ok = "scrapped"}

[rows.ready]
print = {ok = "ready", empty = "ready"}
scrap = {ok = "scrapped"}

[reasons.ready]
start = "It is on"
"""


def read(tmp_path: Path, text: str) -> Role:
    """The role of a file with that text."""
    file = tmp_path / "printer.toml"
    file.write_text(text, encoding="utf-8")
    return role_from_toml(file)


def test_a_file_declares_a_role(tmp_path: Path) -> None:
    """States, calls, outcomes, rows and reasons are those of the file."""
    role = read(tmp_path, PRINTER)
    assert (role.name, role.initial, role.final, role.closes) == ("printer", "off", {"scrapped"}, "scrap")
    assert role.next("ready", "print", "empty") == "ready"
    assert role.outcome("empty").kind is Kind.FAILURE
    assert role.call("print").exclusive
    assert role.reason("off", "print") == "The printer is off"
    assert role.reason("ready", "start") == "It is on"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('ok = "ready", failed', 'ok = "raedy", failed', "did you mean 'ready'"),
        ("[states]", "[stats]", "a role has no key 'stats'"),
        ('kind = "failure"', 'kind = "wrong"', "'wrong' is not a valid Kind"),
        ("exclusive = true", "exclusiv = true", "call 'print' has no key 'exclusiv'"),
        ('initial = "off"', "", "a role lacks initial"),
        ('doc = "Without power."', 'reason = "x"', "not TOML"),
        ('doc = "No paper is left.", ', "", "outcome 'empty' lacks doc"),
        ('start = {ok = "ready", failed = "off"}', 'start = "ready"', "start"),
        ("[reasons.ready]\nstart", "[reasons]\nready", "expected a table"),
        ("[rows.off]", "[rows]\ngone = 3\n[rows.off]", "gone = 3: expected a table"),
        ('name = "printer"', "name = printer", "is not TOML"),
        ('closes = "scrap"', "closes = 3", "closes"),
        ('final = ["scrapped"]', 'final = "scrapped"', "final"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A wrong word, key or shape is a RoleError that names the file and what is wrong."""
    assert old in PRINTER
    with pytest.raises(RoleError) as refused:
        read(tmp_path, PRINTER.replace(old, new, 1))
    assert "printer.toml" in str(refused.value)
    assert said in str(refused.value)
