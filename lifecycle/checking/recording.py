"""The calls on a program's sockets as records of a journal, parted into connections: what charts are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lifecycle.checking.track import Event, Track
from lifecycle.engine import Record


@dataclass(frozen=True, slots=True)
class Recorded:
    """One socket and its calls. local, peer: its addresses as texts, where it had them."""

    name: str
    records: tuple[Record, ...]
    local: str
    peer: str

    @property
    def began(self) -> float:
        """When the first call was made."""
        return self.records[0].began

    def as_data(self) -> dict[str, Any]:
        """As JSON has it, for the process that draws."""
        return {
            "name": self.name,
            "records": [asdict(record) for record in self.records],
            "local": self.local,
            "peer": self.peer,
        }


def recorded(tracks: Iterable[Track], process: int | None = None) -> list[Recorded]:
    """The sockets of this process with the calls that were made on them; `process` tells them from those of others."""
    ending = "" if process is None else f" of {process}"
    return [
        Recorded(name, tuple(_record(name, track, event) for event in track.events), *track.ends)
        for name, track in ((f"{track.name}{ending}", track) for track in tracks)
    ]


def read_recorded(data: dict[str, Any]) -> Recorded:
    """What as_data() gave."""
    return Recorded(data["name"], tuple(Record(**record) for record in data["records"]), data["local"], data["peer"])


def connections(sockets: Sequence[Recorded]) -> Iterator[tuple[Recorded, ...]]:
    """The sockets that talk to each other, together with the listener of the one; every other socket stands alone.

    In the order of their begin: of two ends that of the connection's first socket that no listener is.
    """
    listeners = {each.local: each for each in sockets if each.local and not each.peer and _listens(each)}
    by_ends = {(each.local, each.peer): each for each in sockets if each.peer}
    seen: set[str] = set()
    groups = []
    for each in sockets:
        if each.name in seen or each in listeners.values():
            continue
        twin = by_ends.get((each.peer, each.local)) if each.peer else None
        members = [each] if twin is None or twin is each else [each, twin]
        listener = listeners.get(each.local) or listeners.get(each.peer)
        if each.peer and listener is not None:
            members.insert(0, listener)
        seen.update(member.name for member in members)
        groups.append((each.began, tuple(members)))
    alone = [(each.began, (each,)) for each in listeners.values() if each.name not in seen]
    for _, group in sorted([*groups, *alone], key=lambda item: item[0]):
        yield group


def _listens(each: Recorded) -> bool:
    return any(record.call == "listen" and record.outcome == "ok" for record in each.records)


def _record(name: str, track: Track, event: Event) -> Record:
    return Record(
        role=track.phase.role.name,
        subject=name,
        state=event.state,
        call=event.call,
        thread=event.thread,
        file=event.place.file,
        line=event.place.line,
        arguments=event.arguments,
        began=event.began,
        ended=event.ended,
        outcome=event.outcome,
        next_state=event.next_state,
        error=event.error,
    )
