"""The knowledge of the checker at one place: the objects that a name may refer to, and the possible states of each object."""

from __future__ import annotations

from dataclasses import dataclass, field

from lifecycle.checking.source.points import Points

Site = tuple[int, int, tuple[int, ...]]
"""an object by the place that makes it: line, column, and the lines of the calls under which its function is read"""

Sites = frozenset[Site]
NOTHING: Sites = frozenset()  # None, or another value that is not followed and has no such calls


@dataclass(slots=True)
class Environment:
    """names: a name or attribute -> the objects it may refer to, without unknown ones.

    places: an object -> its possible states; None if others may have changed it.
    """

    names: dict[str, Sites] = field(default_factory=dict)
    places: dict[Site, Points | None] = field(default_factory=dict)

    def copy(self) -> Environment:
        """An independent copy."""
        return Environment(dict(self.names), dict(self.places))

    def joined(self, other: Environment | None) -> Environment:
        """The knowledge after a join of both paths."""
        if other is None:
            return self
        names = {name: sites | other.names[name] for name, sites in self.names.items() if name in other.names}
        places = dict(other.places)
        for site, points in self.places.items():
            theirs = other.places.get(site, points)
            places[site] = None if points is None or theirs is None else points | theirs
        return Environment(names, places)

    def is_as(self, other: Environment) -> bool:
        """Whether both have the same knowledge."""
        return self.names == other.names and self.places == other.places

    def make(self, site: Site, points: Points | None) -> Sites:
        """A new object; one that the same place made before is not followed any more."""
        if site in self.places:
            self.names = {name: sites for name, sites in self.names.items() if site not in sites}
        self.places[site] = points
        return frozenset({site})

    def escape(self, sites: Sites) -> None:
        """Others have these objects now, and may call them; a closed one stays closed."""
        for site in sites:
            points = self.places.get(site)
            if points is not None and not all(point.state in point.machine.role.final for point in points):
                self.places[site] = None

    def forget(self, prefix: str) -> None:
        """The names with that beginning may refer to anything now, and their objects have escaped."""
        for name in [name for name in self.names if name.startswith(prefix)]:
            self.escape(self.names.pop(name))


def joined(*environments: Environment | None) -> Environment | None:
    """The knowledge after a join of all these paths; None if there is none."""
    result: Environment | None = None
    for each in environments:
        if each is not None:
            result = each.joined(result)
    return result
