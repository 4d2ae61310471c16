"""Writes every file of this folder anew: `python diagrams/regenerate.py`. A test fails when a text among them is not current.

lifecycle/system/answers.txt is made here, too, from the matrices beside it.

Of each role there are Mermaid, DOT and, drawn by Graphviz, SVG. Of the demo there are its journal, recorded now, and the
charts that are made of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from lifecycle.cli.demo_programs import ATTEMPTS, Conversation, refused
from lifecycle.diagrams import read_records, sequence_chart, state_diagram
from lifecycle.engine import Journal
from lifecycle.roles import ROLES
from lifecycle.system import refusals
from lifecycle.system.platform_answers import answers_text

FOLDER = Path(__file__).parent
JOURNAL = FOLDER / "demo.jsonl"


def texts_of_roles() -> Iterator[tuple[str, str]]:
    """(file's name, its text) of the diagrams that are compared."""
    for role in ROLES.values():
        yield f"{role.name}.mmd", state_diagram(role, "mermaid")
        yield f"{role.name}.dot", state_diagram(role, "dot")


def charts_of_the_demo() -> Iterator[tuple[str, str]]:
    """(file's name, its text) of the charts, made of the journal that lies here."""
    records = read_records(JOURNAL.read_text(encoding="utf-8").splitlines())
    yield "demo.txt", sequence_chart(records, "text", width=120)
    yield "demo.mmd", sequence_chart(records, "mermaid")
    yield "demo.svg", sequence_chart(records, "svg")


def pictures_of_roles() -> Iterator[tuple[str, str]]:
    """(file's name, its text) of the pictures, which differ from one Graphviz to the next and are not compared."""
    for role in ROLES.values():
        yield f"{role.name}.svg", state_diagram(role, "svg")


def recorded_demo() -> Journal:
    """The journal of the demo, run now."""
    with Journal() as journal:
        Conversation().run()
        for attempt in ATTEMPTS:
            refused(attempt)
    for record in journal.records:  # whose machine it was recorded on is nobody's business
        record.file = Path(record.file).name
    return journal


def main() -> int:
    """Write all files; those of roles that are no more are removed."""
    for old in FOLDER.iterdir():
        if old.suffix in (".mmd", ".dot", ".svg", ".txt"):
            old.unlink()
    Path(refusals.__file__).with_name("answers.txt").write_text(answers_text(), encoding="utf-8", newline="\n")
    JOURNAL.write_text("".join(f"{line}\n" for line in recorded_demo().lines()), encoding="utf-8", newline="\n")
    for written in (texts_of_roles(), charts_of_the_demo(), pictures_of_roles()):
        for name, text in written:
            (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
