"""One small role and one run of it in every format, letter by letter: what a reader of the format sees.

After a wanted change `python tests/diagrams/test_lamp.py` writes the files of lamp/ anew; review the difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from lifecycle import Role
from lifecycle.diagrams import explorer_page, pictures, sequence_chart, state_diagram
from lifecycle.engine import Call, Record, State

CALL = [field.name for field in fields(Record)].index("call")
FOLDER = Path(__file__).parent / "lamp"


@dataclass(frozen=True)
class LampFacts:
    """The facts of a lamp."""

    lit: bool = False
    heat: str = "none"


LAMP = Role(
    name="lamp",
    doc="Gives light.",
    states=(
        State("off", "Dark.", facts=LampFacts()),
        State("on", "Light.", facts=LampFacts(lit=True)),
        State("hot", "Too much light.", reason="It is too hot", facts=LampFacts(lit=True, heat="high")),
        State("gone", "Broken up.", reason="It is gone", facts=None),
    ),
    calls=(
        Call("switch", "Turn it on or off.", errors={"failed": ("EIO", "EPERM")}, refuses_flags=("MSG_OOB",)),
        Call("look", "See it.", waits_for="readable", announced_by=("read",), enables=("read", "write")),
        Call("cool", "Wait.", fired_by="fan.turn"),
        Call("scrap", "Take it away.", settles="before"),
        Call("paint", "Change its colour.", reason="It is never painted"),
    ),
    rows=(
        ("off", "switch", {"ok": "on", "failed": "off"}),
        ("on", "switch", {"ok": "off", "failed": "hot"}),
        ("off", "look", {"ok": "off"}),
        ("on", "look", {"ok": "on"}),
        ("hot", "look", {"ok": "hot"}),
        ("hot", "cool", {"ok": "on"}),
        ("off", "scrap", {"ok": "gone"}),
        ("on", "scrap", {"ok": "gone"}),
        ("hot", "scrap", {"ok": "gone"}),
    ),
    initial="off",
    final=frozenset({"gone"}),
    closes="scrap",
)

RUN = [
    Record("lamp", "Lamp#1", "off", "switch", "main", "p.py", 1, "1, None", 0.0, 0.001, "ok", "on"),
    Record("lamp", "Lamp#1", "on", "look", "main", "p.py", 2, "", 0.002, 0.003, "ok", "on"),
    Record("lamp", "Lamp#1", "on", "look", "main", "p.py", 2, "", 0.004, 0.005, "ok", "on"),
    Record("lamp", "Lamp#1", "on", "look", "main", "p.py", 2, "", 0.006, 0.007, "ok", "on"),
    Record(
        "lamp", "Lamp#1", "on", "cool", "main", "p.py", 3, "", 0.008, 0.008, "illegal", "on", "IllegalCall: no.\n  It is on."
    ),
    Record("lamp", "Lamp#1", "on", "switch", "main", "p.py", 4, "", 0.01, 0.25, "failed", "hot", "OSError: too hot"),
    Record("fan", "Fan#1", "still", "turn", "main", "p.py", 5, "", 0.26, 0.3, "ok", "turning"),
    Record("lamp", "Lamp#1", "hot", "cool", "main", "p.py", 6, "", 0.27, 0.28, "ok", "on"),
    Record("lamp", "Lamp#1", "on", "look", "main", "p.py", 7, "", 0.31),
]

ROLES = {"lamp": LAMP}


def texts() -> Iterator[tuple[str, str]]:
    """(file's name, its text) of each format."""
    lamp = [record for record in RUN if record.role == "lamp"]
    suffixes = {"mermaid": "mmd", "dot": "dot", "plantuml": "puml", "scxml": "scxml", "markdown": "md", "text": "txt"}
    for format, suffix in suffixes.items():
        yield f"lamp.{suffix}", state_diagram(LAMP, format, highlight=lamp, width=60)
    for format, suffix in {"mermaid": "mmd", "text": "txt", "svg": "svg"}.items():
        yield f"run.{suffix}", sequence_chart(RUN, format, roles=ROLES)
        yield f"empty.{suffix}", sequence_chart([], format)
    yield "narrow.txt", sequence_chart(RUN, width=40, roles=ROLES)


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.*")))
def test_each_format_is_as_expected(name: str) -> None:
    """The diagram or chart equals the file of that name."""
    assert dict(texts())[name] == (FOLDER / name).read_text(encoding="utf-8")


def test_every_file_is_expected() -> None:
    """No file of the folder is left over."""
    assert {path.name for path in FOLDER.iterdir()} == {name for name, _ in texts()}


def test_the_data_of_the_page_is_as_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has the role's calls with their details and errors, and the reason, remedy and answers of each refusal."""
    monkeypatch.setattr(pictures, "PROGRAMS", ())
    page = explorer_page(LAMP, [RUN[1], RUN[0]])
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    (role,) = data["roles"]
    assert role["calls"][0] == {
        "name": "switch",
        "doc": "Turn it on or off. Refuses the flags: MSG_OOB.",
        "fired_by": None,
        "errors": {"failed": ["EIO", "EPERM"]},
    }
    assert role["refused"]["hot"]["switch"] == {"reason": "It is too hot", "remedy": ["fan.turn"], "answers": []}
    assert (role["initial"], role["final"], role["picture"]) == ("off", ["gone"], "")
    assert [data["texts"][record[CALL]] for record in data["run"]] == ["switch", "look"]


def test_the_page_has_the_answers_of_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the package's own roles the page says what Winsock and Linux would answer."""
    from lifecycle import SERVER

    monkeypatch.setattr(pictures, "PROGRAMS", ())
    page = explorer_page(SERVER)
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert data["roles"][0]["refused"]["bound"]["accept"]["answers"] == [["Winsock", "WSAEINVAL"], ["Linux", "EINVAL"]]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
