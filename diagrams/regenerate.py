"""Writes every file of this folder anew, and what systems answer to refused calls: `python diagrams/regenerate.py`.

A test fails when one is not current. Of each role there are Mermaid and DOT here and, drawn by Graphviz, SVG in the package. Of
the demo there are its journal, recorded now, and the charts that are made of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from lifecycle.cli.demo_programs import ATTEMPTS, Conversation, refused
from lifecycle.diagrams import pictures, read_records, sequence_chart, state_diagram
from lifecycle.diagrams.explorer.page import lines_of
from lifecycle.engine import Journal
from lifecycle.roles import ROLES
from lifecycle.roles.python.observed import OBSERVED_DATAGRAM, OBSERVED_SOCKET, OBSERVED_STREAM
from lifecycle.system import refusals
from lifecycle.system.platform_answers import answers_text

FOLDER = Path(__file__).parent
QUIET = ("Server#1", "Client#1", "Accepted#1")
"""The objects of the chart in the README"""

PACKAGED = FOLDER.parent / "lifecycle" / "diagrams" / "roles"
JOURNAL = PACKAGED.parent / "explorer" / "demo.jsonl"
OBSERVED = (OBSERVED_STREAM, OBSERVED_DATAGRAM, OBSERVED_SOCKET)
PICTURED = {**ROLES, **{f"python_{each.real.name}": each.real for each in OBSERVED}}
"""file's name -> the role whose picture is in the package: ours, and those of the sockets that `lifecycle run` follows"""


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
    quiet = [record for record in records if record.subject in QUIET and record.outcome != "illegal"]
    yield "demo-quiet.svg", sequence_chart(quiet, "svg")


def pictures_of_roles() -> Iterator[tuple[str, str]]:
    """(file's name, its text) of the pictures; each Graphviz draws its own, so what they are of is compared."""
    for name, role in PICTURED.items():
        yield f"{name}.svg", pictures.drawn(state_diagram(role, "dot"))


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
    for old in (*FOLDER.iterdir(), *PACKAGED.iterdir()):
        if old.suffix in (".mmd", ".dot", ".svg", ".txt"):
            old.unlink()
    demo = recorded_demo()
    JOURNAL.write_text("".join(f"{line}\n" for line in demo.lines()), encoding="utf-8", newline="\n")
    lines = json.dumps(dict(lines_of(demo.records)), indent=0) + "\n"
    JOURNAL.with_name("demo-lines.json").write_text(lines, encoding="utf-8", newline="\n")
    for folder, written in ((FOLDER, texts_of_roles()), (FOLDER, charts_of_the_demo()), (PACKAGED, pictures_of_roles())):
        for name, text in written:
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    Path(refusals.__file__).with_name("answers.txt").write_text(answers_text(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
