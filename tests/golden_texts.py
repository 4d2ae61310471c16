"""Texts that are compared letter by letter: a folder has a file for each kind of text, with a section for each case.

After a wanted change `LIFECYCLE_GOLDEN=write pytest -p no:xdist FOLDER` writes the sections anew; review the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

HEAD = "======== "
WRITES = os.environ.get("LIFECYCLE_GOLDEN") == "write"


class GoldenTexts:
    """The texts of one folder. Called with a file's name, a section and the text of now, it returns the text expected."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, dict[str, str]] = {}

    def __call__(self, name: str, section: str, text: str) -> str:
        text = text.rstrip("\n") + "\n"
        sections = self._sections(name)
        if WRITES:
            sections[section] = text
            written = "".join(f"{HEAD}{head}\n{sections[head]}" for head in sorted(sections))
            self._folder.mkdir(exist_ok=True)
            (self._folder / f"{name}.txt").write_text(written, encoding="utf-8")
        return sections.get(section, "")

    def _sections(self, name: str) -> dict[str, str]:
        if name not in self._files:
            path = self._folder / f"{name}.txt"
            parts = path.read_text(encoding="utf-8").split(HEAD)[1:] if path.exists() else []
            self._files[name] = {head: text for head, _, text in (part.partition("\n") for part in parts)}
        return self._files[name]
