"""Every cell of the roles that have TLS, in both of its versions and under both engines: blocking, and awaited on each loop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # where the tests find what they share

from aio.test_conformance import FaceAdapter
from blocking_face import portal_in
from event_loops import INSTALLED, LOOPS

from lifecycle import ROLES
from lifecycle.conformance import GovernedAdapter, conform
from lifecycle.conformance.targets import Target
from lifecycle.engine import set_default_engine

from .delivery import VERSIONS


def cells() -> Iterator[tuple[str, int, int, list[Any]]]:
    """Of each way and role: its name, how many cells were reached, of how many, and what differs without a reason."""
    for engine in ("compiled", "reference"):
        set_default_engine(engine)
        for version in VERSIONS:
            name = f"{engine} engine, {version.name}"
            yield from _conform(f"blocking, {name}", partial(GovernedAdapter, engine=engine, tls_version=version))
            for loop in LOOPS:
                if INSTALLED[loop.name]:
                    with portal_in(loop):
                        yield from _conform(f"{loop.name}, {name}", partial(_awaited, version))


def _awaited(version: Any) -> FaceAdapter:
    adapter = FaceAdapter()
    adapter.tls_version = version
    return adapter


def _conform(name: str, make: Callable[[], GovernedAdapter]) -> Iterator[tuple[str, int, int, list[Any]]]:
    report = conform(Target(name, make), [ROLES["client"], ROLES["accepted"]], depth=1, walks=20)
    for role in report.roles:
        yield f"{name}, {role.role}", len(set(role.reached) & set(role.offered)), len(role.offered), list(report.unexplained)
