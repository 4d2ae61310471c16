"""The folder diagrams/ is current: what the tables and the demo give today is what lies there."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest

from lifecycle.diagrams import pictures, read_records, state_diagram
from lifecycle.diagrams.extraction import graph_of
from lifecycle.engine import Record
from lifecycle.roles import ROLES

FOLDER = Path(__file__).parents[2] / "diagrams"
PACKAGED = FOLDER.parent / "lifecycle" / "diagrams" / "roles"
CURE = "run: python diagrams/regenerate.py"


@pytest.fixture(scope="module")
def regenerate() -> ModuleType:
    """The program that writes the folder."""
    spec = importlib.util.spec_from_file_location("regenerate", FOLDER / "regenerate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_roles_diagrams_are_current(regenerate: ModuleType) -> None:
    """Mermaid and DOT of every role are, letter by letter, what its table gives."""
    stale = [name for name, text in regenerate.texts_of_roles() if not is_current(name, text)]
    assert stale == [], CURE


def test_the_demos_charts_are_current(regenerate: ModuleType) -> None:
    """The charts are, letter by letter, what the journal beside them gives."""
    stale = [name for name, text in regenerate.charts_of_the_demo() if not is_current(name, text)]
    assert stale == [], CURE


def is_current(name: str, text: str) -> bool:
    """Whether the file of that name has that text."""
    file = FOLDER / name
    return file.exists() and file.read_text(encoding="utf-8") == text


def test_the_demos_journal_is_of_todays_demo(regenerate: ModuleType) -> None:
    """The demo, run now, makes the same calls on the same objects with the same outcomes as the journal that lies there."""
    lines = (PACKAGED.parent / "explorer" / "demo.jsonl").read_text(encoding="utf-8").splitlines()
    assert calls(read_records(lines)) == calls(regenerate.recorded_demo().records), CURE


def calls(records: list[Record]) -> list[tuple[str, list[tuple[str, str | None, str | None]]]]:
    """The calls of each object in order, each with its outcome and next state; which of a class is which, chance says."""
    found = defaultdict(list)
    for record in sorted(records, key=lambda record: record.began):
        found[record.subject].append((record.call, record.outcome, record.next_state))
    return sorted((subject.partition("#")[0], each) for subject, each in found.items())


def test_every_file_is_of_a_role_or_of_the_demo(regenerate: ModuleType) -> None:
    """Each role has its files here and its picture in the package, and nothing else lies there."""
    assert {file.stem for file in PACKAGED.iterdir()} == set(regenerate.PICTURED), CURE
    expected = {f"{role}.{suffix}" for role in ROLES for suffix in ("mmd", "dot")}
    expected |= {f"demo.{suffix}" for suffix in ("txt", "mmd", "svg")} | {"demo-quiet.svg", "README.md", "regenerate.py"}
    assert {file.name for file in FOLDER.iterdir() if file.is_file()} == expected, CURE


def test_the_pictures_show_every_state(regenerate: ModuleType) -> None:
    """The SVG, which each Graphviz draws in its own way, is of today's graph, and has the role's states and edges."""
    for name, role in regenerate.PICTURED.items():
        text = (PACKAGED / f"{name}.svg").read_text(encoding="utf-8")
        assert pictures.digest_of(text) == pictures.digest(state_diagram(role, "dot")), CURE
        root = ElementTree.fromstring(text)
        shown = "".join(root.itertext())
        assert all(state.name in shown for state in role.states), CURE
        edges = [each for each in root.iter() if (each.get("id") or "").startswith("edge-")]
        assert len(edges) == len(graph_of(role).edges), CURE
