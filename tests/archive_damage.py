"""Damaged documents: cut, flipped, with huge counts; they raise archive errors, cost no more than whole ones, and end in time.

    python tests/archive_damage.py [--variants 6000] [--seed N] [--reader MODULE.py DOCUMENT]...

The documents are the golden ones that the real MFC wrote, and large ones of the fuzz's classes. A reader is a module with a
load(data), as `lifecycle archive classes` and `--layout` write it. Demanded of each variant: nothing but an archive error is
raised, memory stays below twice the peak of the whole file (and a constant), and the time below ten times the whole file's.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from archive_fuzz_classes import CLASSES
from archive_kinds import REQUESTS
from archive_seeds import Seed, large_seeds, seeds

from lifecycle.archive import Archive, ArchiveError

MEMORY, SECONDS = 1 << 18, 0.25
"""What a variant may take beyond twice the memory and ten times the time of the whole file."""

HUGE = (b"\xff\xfe", b"\xff\xff", b"\xff\xff\xff\x7f", b"\xff" * 6, b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff" * 14)

Load = Callable[[bytes], object]


@dataclass
class Figures:
    """What the variants came to: endings by the error's name, the worst shares of memory and time, and what was wrong."""

    endings: Counter[str] = field(default_factory=Counter)
    memory: float = 0.0
    time: float = 0.0
    wrong: list[str] = field(default_factory=list)


def damaged(data: bytes, random: Random) -> bytes:
    """The bytes cut somewhere, with a bit flipped, a byte changed, some lost or a huge count in their place."""
    at = random.randrange(len(data))
    match random.randrange(5):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :]
        case 2:
            return data[:at] + random.randbytes(random.randrange(1, 5)) + data[at + 4 :]
        case 3:
            return data[:at] + data[at + random.randrange(1, 9) :]
    huge = random.choice(HUGE)
    return data[:at] + huge + data[at + len(huge) :]


def weighed(load: Load, data: bytes) -> tuple[str, int, float]:
    """How a load ended, the peak of its memory in bytes and its seconds (of this process)."""
    tracemalloc.start()
    began = time.process_time()
    try:
        kept = load(data)  # noqa: F841 - what was loaded is weighed, too
        ending = "loaded"
    except ArchiveError as error:
        ending = type(error).__name__
        del error
    except BaseException as error:
        ending = f"WRONG {error!r}"
    seconds = time.process_time() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return ending, peak, seconds


def run(documents: list[tuple[str, bytes, Load]], variants: int, seed: int) -> Figures:
    """That many variants, of all documents in turn."""
    random, figures = Random(seed), Figures()
    whole = {name: max(weighed(load, data)[1:] for _ in range(2)) for name, data, load in documents}
    for number in range(variants):
        name, data, load = documents[number % len(documents)]
        variant = damaged(data, random)
        ending, peak, seconds = weighed(load, variant)
        memory, usual = whole[name]
        figures.endings[ending] += 1
        figures.memory = max(figures.memory, (peak - MEMORY) / memory)
        figures.time = max(figures.time, (seconds - SECONDS) / usual)
        if ending.startswith("WRONG") or peak > 2 * memory + MEMORY or seconds > 10 * usual + SECONDS:
            figures.wrong.append(
                f"{name}: {ending}, {peak:,} bytes ({memory:,}), {seconds:.3f} s ({usual:.3f}): {variant[:99].hex()}"
            )
    return figures


def own_documents(most: int = 1 << 30) -> list[tuple[str, bytes, Load]]:
    """The largest seeds of the fuzz, of up to `most` bytes."""
    chosen = sorted((seed for seed in [*seeds(), *large_seeds()] if len(seed.data) <= most), key=lambda seed: len(seed.data))[
        -12:
    ]
    return [(f"seed {number}", seed.data, _loader(seed)) for number, seed in enumerate(chosen)]


def _loader(seed: Seed) -> Load:
    def load(data: bytes) -> list[Any]:
        with Archive(io.BytesIO(data), "load", registry=CLASSES) as archive:
            return [REQUESTS[request](archive) for request in seed.plan]

    return load


def imported(module: str) -> Any:
    """The module in a file."""
    spec = importlib.util.spec_from_file_location(Path(module).stem, module)
    assert spec is not None
    assert spec.loader is not None
    reader = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = reader
    spec.loader.exec_module(reader)
    return reader


def main() -> int:
    """Run the variants; 1 when one was wrong."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--variants", type=int, default=6000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--reader", nargs=2, action="append", default=[], metavar=("MODULE.py", "DOCUMENT"))
    asked = options.parse_args()
    documents = own_documents()
    documents += [(path, Path(path).read_bytes(), imported(module).load) for module, path in asked.reader]
    figures = run(documents, asked.variants, asked.seed)
    for ending, count in figures.endings.most_common():
        print(f"{count:>8,} {ending}")
    print(f"memory at most {figures.memory:.2f} of the whole file's, time {figures.time:.2f}; {len(figures.wrong)} wrong")
    print(*figures.wrong[:20], sep="\n")
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
