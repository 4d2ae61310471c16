"""What the checker says, letter by letter: golden/ has a file for each kind of text, with a section for each program.

After a wanted change `LIFECYCLE_GOLDEN=write pytest -p no:xdist tests/checking` writes the sections anew; review it.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
HEAD = "======== "
WRITES = os.environ.get("LIFECYCLE_GOLDEN") == "write"


@cache
def _sections(name: str) -> dict[str, str]:
    path = FOLDER / f"{name}.txt"
    parts = path.read_text(encoding="utf-8").split(HEAD)[1:] if path.exists() else []
    return {head: text for head, _, text in (part.partition("\n") for part in parts)}


def golden(name: str, section: str, text: str) -> str:
    """The text that golden/NAME.txt has for a section. text: what is said now, which is written on request."""
    text = text.rstrip("\n") + "\n"
    sections = _sections(name)
    if WRITES:
        sections[section] = text
        written = "".join(f"{HEAD}{head}\n{sections[head]}" for head in sorted(sections))
        (FOLDER / f"{name}.txt").write_text(written, encoding="utf-8")
    return sections.get(section, "")


def neutral(text: str, path: Path) -> str:
    """The text without what differs from run to run: the path of the program, numbers, lines of libraries."""
    text = text.replace(str(path), path.name).replace(os.path.relpath(path), path.name)
    text = re.sub(r"/\S+/(\w+\.py):\d+", r"\1", text)
    text = re.sub(r"\b(Thread-|process )\d+", r"\1N", text)
    numbers: dict[str, int] = {}
    return re.sub(r"(?<=[a-z]#)\d+", lambda found: str(numbers.setdefault(found[0], len(numbers) + 1)), text)
