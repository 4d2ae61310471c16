"""What the checker says, letter by letter: golden/ has a file for each kind of text, with a section for each program.

After a wanted change `LIFECYCLE_GOLDEN=write pytest -p no:xdist tests/checking` writes the sections anew; review it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from golden_texts import GoldenTexts

golden = GoldenTexts(Path(__file__).parent / "golden")


def neutral(text: str, path: Path) -> str:
    """The text without what differs from run to run: the path of the program, numbers, lines of libraries."""
    text = text.replace(str(path), path.name).replace(os.path.relpath(path), path.name)
    text = re.sub(r"/\S+/(\w+\.py):\d+", r"\1", text)
    text = re.sub(r"\b(Thread-|process )\d+", r"\1N", text)
    numbers: dict[str, int] = {}
    return re.sub(r"(?<=[a-z]#)\d+", lambda found: str(numbers.setdefault(found[0], len(numbers) + 1)), text)
