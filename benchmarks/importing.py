"""The claim: `import lifecycle` costs at most 1.6 times `import transitions`, `from lifecycle import Client` at most 2.5 times.

The package loads its parts when they are first used, and pulls in nothing that few users need. The methods of a class are
compiled when its first object is made: the import with that object is reported next to the import.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.child import python
from benchmarks.claim import Claim, Figure, exactly
from benchmarks.effort import Effort
from benchmarks.interleaved import Batch, Series, duration, interleave
from benchmarks.rivals import MODULES, present, rivals

LIMIT, LIMIT_OF_SOCKETS = 1.6, 2.5
NOT_PULLED_IN = ("hypothesis", "rich", "click", "anyio")

TIMED = "from time import perf_counter_ns as clock; begin = clock(); {statement}; print(clock() - begin)"
PULLED_IN = "import sys; {statement}; print(*(name for name in {names} if name in sys.modules))"

PACKAGE = "import lifecycle"
SOCKETS = "from lifecycle import Client"
OBJECT = "from lifecycle import Client; Client()"
EVERYTHING = "from lifecycle import *"


def measure(effort: Effort) -> list[Figure]:
    """Every import in a new process, with both packages compiled already."""
    everyone = rivals()
    statements = {"transitions": "import transitions", PACKAGE: PACKAGE, SOCKETS: SOCKETS, OBJECT: OBJECT}
    statements |= {name: f"import {MODULES[name][0]}" for name in present(everyone)}
    with tempfile.TemporaryDirectory() as folder:
        bytecode = Path(folder)
        pulled_in = python("-c", PULLED_IN.format(statement=EVERYTHING, names=NOT_PULLED_IN), bytecode=bytecode).split()
        cases: dict[str, Batch] = {name: _importing(statement, bytecode) for name, statement in statements.items()}
        series = interleave(cases, effort.rounds(21))
    others = {
        name: series.ratio(name, "transitions").median if rival is not None else None
        for name, rival in everyone.items()
        if name != "transitions"
    }
    return [
        _figure(PACKAGE, series, others, LIMIT),
        _figure(SOCKETS, series, others, LIMIT_OF_SOCKETS),
        _figure(OBJECT, series, {}, None),
        Figure(
            f"of {', '.join(NOT_PULLED_IN)} pulled in" + (f": {', '.join(pulled_in)}" if pulled_in else ""),
            exactly(len(pulled_in)),
            "",
            0,
            timed=False,
        ),
    ]


def _importing(statement: str, bytecode: Path) -> Batch:
    return lambda: (float(python("-c", TIMED.format(statement=statement), bytecode=bytecode)),)


def _figure(statement: str, series: Series, others: dict[str, float | None], limit: float | None) -> Figure:
    return Figure(
        statement,
        series.ratio(statement, "transitions"),
        "x",
        limit,
        baseline=f"import transitions {duration(series.nanoseconds('transitions'))}",
        others=others,
    )


CLAIM = Claim("importing", "import, against `import transitions`", measure)
