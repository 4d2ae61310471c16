"""Documents of real programs, each read to its end and stored again by a reader that `--layout` or `classes` has begun.

    python tests/archive_documents.py FOLDER [--reader MODULE.py DOCUMENT [unicode|ENCODING]]...

For each file of the folder a module is written from its layout; the line says how many bytes are in fields with a type, and
whether storing gave the same bytes. A reader is a module that `lifecycle archive classes` wrote, with what was added by hand.
The documents are others': none is in the project.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

from archive_damage import imported

from lifecycle.archive.layout import infer, module_source
from lifecycle.cli.archive_files import opened_bytes


def by_layout(path: Path) -> tuple[bool, str]:
    """Whether a document is stored as it was, and its line."""
    with ExitStack() as opened:
        data = bytes(opened_bytes(str(path), opened, stream=None, offset=None, inflate=False).data)
    source = module_source(infer(data))
    module: Any = ModuleType("written")
    sys.modules["written"] = module
    exec(compile(source, "written.py", "exec"), vars(module))
    document = module.load(data)
    known = document.known()
    raw = len(document.head) + sum(each[2] for each in known.values())
    typed = len(data) - raw - sum(len(each.tag) for each in document.objects)
    same = module.store(document) == data
    share = f"{100 * typed // max(len(data), 1):>3}% typed"
    figures = f"{len(data):>8,} bytes, {len(known):>3} classes, {len(document.objects):>6,} objects, {share}"
    return same, f"{path.name:28} {figures}, {'the same bytes' if same else 'OTHER BYTES'}, 0 lines by hand"


def by_reader(module: str, document: str, build: str) -> tuple[bool, str]:
    """Whether a document is read to its end and stored as it was, and its line."""
    data = Path(document).read_bytes()
    settings = {"unicode": True} if build == "unicode" else {"unicode": False, "encoding": build}
    reader = imported(module)
    same = reader.store(reader.load(data, **settings), **settings) == data
    return (
        same,
        f"{Path(document).name:28} by {Path(module).name}: {'the same bytes' if same else 'read to its end, OTHER BYTES'}",
    )


def main() -> int:
    """Print a line for each document; 1 when one was not stored as it was."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--reader", nargs=3, action="append", default=[], metavar=("MODULE.py", "DOCUMENT", "BUILD"))
    asked = options.parse_args()
    paths = sorted(each for each in asked.folder.rglob("*") if each.is_file() and each.suffix != ".md")
    found = [by_layout(path) for path in paths] + [by_reader(*each) for each in asked.reader]
    print(*(line for _, line in found), sep="\n")
    print(f"{sum(same for same, _ in found)} of {len(found)} stored as they were")
    return 0 if all(same for same, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
