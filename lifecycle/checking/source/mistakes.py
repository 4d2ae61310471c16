"""The mistakes of one module, and how much of it was followed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lifecycle.checking.kinds import FindingKind
from lifecycle.checking.source.environment import Site
from lifecycle.checking.source.points import Point, Points


@dataclass(frozen=True, slots=True)
class Mistake:
    """A call that the tables forbid at its place.

    must: whether it is wrong on every path to it, and not only on some. made: the line that made the object, 0 where that is
    not known. facts: of the state, for the code of the problem.
    """

    kind: FindingKind
    file: str
    line: int
    column: int
    role: str
    states: tuple[str, ...]
    call: str
    legal: tuple[str, ...]
    remedy: tuple[str, ...] | None
    reason: str
    must: bool
    made: int
    facts: object = None


@dataclass(slots=True)
class Mistakes:
    """Collects the mistakes of one module. local: the objects that are local sockets, where rules of Winsock do not apply."""

    file: str
    found: dict[tuple[int, int, str], Mistake] = field(default_factory=dict)
    local: set[Site] = field(default_factory=set)
    muted: int = 0
    sites: set[tuple[int, int]] = field(default_factory=set)
    called: set[tuple[int, int]] = field(default_factory=set)

    def made(self, site: Site, node: ast.AST) -> None:
        """An object is made there; a parameter is given."""
        if isinstance(node, ast.expr):
            self.sites.add(site[:2])

    def followed(self, sites: Iterable[Site]) -> None:
        """A call on these objects is checked."""
        self.called.update(site[:2] for site in sites)

    def judge(self, places: Mapping[Site, Points | None], call: str, node: ast.AST, branches: int) -> bool:
        """Whether `call` is wrong on every path; it is reported then, and where it is wrong on some.

        branches: how deep below the body of a function that is read for its caller the call may be left out: what is wrong
        there may depend on an argument.
        """
        points = [point for each in places.values() for point in each or ()]
        wrong = [point for point in points if not point.machine.is_legal(point.state, call)]
        is_known = bool(places) and None not in places.values()
        must = is_known and len(wrong) == len(points) and not branches
        if not wrong or (branches and not must):
            return False
        works = all(point.machine.is_accepted(point.state, call) for point in wrong)
        if works and not self.local.isdisjoint(places):
            return False
        kind = FindingKind.PORTABILITY if works else FindingKind.ORDER
        self._report(kind, wrong, call, node, must, min((site[0] for site in places), default=0))
        return must and not works

    def _report(self, kind: FindingKind, wrong: list[Point], call: str, node: ast.AST, must: bool, made: int) -> None:
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        key = (line, column, call)
        if self.muted or (key in self.found and self.found[key].must >= must):
            return
        first = min(wrong, key=lambda point: (point.machine.role.name, point.state))
        self.found[key] = Mistake(
            kind=kind,
            file=self.file,
            line=line,
            column=column,
            role=first.machine.role.name,
            states=tuple(sorted({point.state for point in wrong})),
            call=call,
            legal=first.machine.legal(first.state),
            remedy=first.machine.remedy(first.state, call),
            reason=first.machine.reason(first.state, call),
            must=must,
            made=made,
            facts=first.machine.facts(first.state),
        )
