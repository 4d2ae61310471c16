"""The charts of a run: its recorded calls, grouped into connections, as pictures, as text, or on a page with the findings."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lifecycle.checking.findings import grouped
from lifecycle.checking.settings import Settings
from lifecycle.checking.track import Event, SocketTrack
from lifecycle.diagrams import explorer_page, sequence_chart
from lifecycle.engine import Record
from lifecycle.roles import ROLES
from lifecycle.roles.facts import Link
from lifecycle.roles.python.observed import OBSERVED_DATAGRAM, OBSERVED_SOCKET, OBSERVED_STREAM
from lifecycle.system.output import printable_lines, write_whole

FORMATS = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid"}
"""suffix of a file -> its format; any other is text"""

ROLES_IN_RUNS = {**ROLES, **{each.real.name: each.real for each in (OBSERVED_STREAM, OBSERVED_DATAGRAM, OBSERVED_SOCKET)}}
_WIDTH = 100

MOST_TO_LISTEN, MOST_WAITING = 16, 64
"""Of a listener's calls: the first ones, with which it begins to listen, and those that began before a connection's first"""

MOST_CALLS, MOST_FILES, MOST_FINDINGS = 2000, 200, 500
"""Of a chart, of a run, on a page"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One socket and its calls. local, peer: its addresses as text, "" where it had none."""

    name: str
    records: tuple[Record, ...]
    local: str
    peer: str

    @property
    def began(self) -> float:
        """When the first call was made."""
        return self.records[0].began

    def as_data(self) -> dict[str, Any]:
        """The data for JSON, for the process that draws."""
        return {
            "name": self.name,
            "records": [asdict(record) for record in self.records],
            "local": self.local,
            "peer": self.peer,
        }


def recorded(tracks: Iterable[SocketTrack], process: int | None = None) -> list[Recorded]:
    """The sockets of this process and their calls. process: its number, added to their names, where it is a child."""
    ending = "" if process is None else f" of {process}"
    return [
        Recorded(name, tuple(_record(name, track, event) for event in track.events), *track.ends)
        for name, track in ((f"{track.name}{ending}", track) for track in tracks)
    ]


def read_recorded(data: dict[str, Any]) -> Recorded:
    """The inverse of Recorded.as_data()."""
    return Recorded(data["name"], tuple(Record(**record) for record in data["records"]), data["local"], data["peer"])


def connections(sockets: Sequence[Recorded]) -> Iterator[tuple[Recorded, ...]]:
    """Groups of sockets: the two ends of a connection with the listener that accepted it; any other socket alone.

    They are ordered by the first call on a socket of the group that is not a listener.
    """
    listeners = {each.local: each for each in sockets if each.local and not each.peer and _listens(each)}
    names = {each.name for each in listeners.values()}
    by_ends = {(each.local, each.peer): each for each in sockets if each.peer}
    seen: set[str] = set()
    groups = []
    for each in sockets:
        if each.name in seen or each.name in names:
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
    states = {record.next_state for record in each.records}
    return any(ROLES_IN_RUNS[each.records[0].role].state(state).facts.link is Link.LISTENING for state in states if state)


def _record(name: str, track: SocketTrack, event: Event) -> Record:
    return Record(
        role=track.state.role.name,
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


def write_charts(settings: Settings, sockets: Sequence[Recorded], findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write the requested files, one picture per connection if there are several; return a sentence about the omitted ones."""
    ordered = sorted(sockets, key=lambda each: each.began)
    groups = list(connections(ordered))
    if settings.connection is not None:
        groups = groups[settings.connection - 1 : settings.connection]
    notes = [] if settings.chart is None else _write_chart(Path(settings.chart), groups)
    if settings.html is not None:
        write_whole(settings.html, printable_lines(_page(groups, findings)))
    return notes


def title_of(group: Sequence[Recorded]) -> str:
    """The title of a group."""
    named = group[-1] if len(group) < 3 else group[1]
    ends = " -> ".join(end for end in (named.local, named.peer) if end)
    return f"{', '.join(each.name for each in group)}{f' ({ends})' if ends else ''}"


def _write_chart(path: Path, groups: Sequence[Sequence[Recorded]]) -> list[str]:
    form = FORMATS.get(path.suffix.lower(), "text")
    notes = [f"{title_of(group)}: {note}" for group in groups if (note := _not_drawn(group))]
    if form == "text":
        texts = [f"{title_of(group)}\n{_not_drawn(group)}\n{_chart(group, form)}" for group in groups]
        write_whole(path, printable_lines("\n\n".join(texts) + "\n"))
    elif len(groups) == 1:
        write_whole(path, _chart(groups[0], form))
    else:
        for number, group in enumerate(groups[:MOST_FILES], 1):
            write_whole(path.with_stem(f"{path.stem}-{number}"), _chart(group, form))
        if len(groups) > MOST_FILES:
            notes.append(_first(MOST_FILES, groups))
    return notes


def _chart(group: Sequence[Recorded], form: str) -> str:
    return sequence_chart(_records(group)[:MOST_CALLS], form, width=_WIDTH, roles=ROLES_IN_RUNS)


def _not_drawn(group: Sequence[Recorded]) -> str:
    """A sentence about the calls that the chart of a group omits."""
    count = len(_records(group))
    return f"The first {MOST_CALLS:,} of {count:,} calls are drawn." if count > MOST_CALLS else ""


def _first(number: int, groups: Sequence[object]) -> str:
    return f"The first {number:,} of {len(groups):,} connections are drawn; --connection N draws another."


def _records(group: Sequence[Recorded]) -> list[Record]:
    """The calls of a group; of a listener those that made it one, and those that ran while the other sockets were used."""
    others = [each for each in group if each.peer] or list(group)
    records = [record for each in others for record in each.records]
    first, last = (end(record.began for record in records) for end in (min, max))
    chosen = {id(each) for each in others}
    for each in group:
        if id(each) not in chosen:
            records += _around(each.records, first, last)
    return sorted(records, key=lambda record: record.began)


def _around(records: Sequence[Record], first: float, last: float) -> Iterator[Record]:
    """The calls of a listener, of which there may be thousands, in order of their begins, that belong to one connection."""
    begin, end = (bisect(records, time, key=lambda record: record.began) for time in (first, last))
    for record in records[: min(begin, MOST_TO_LISTEN)]:
        if record.next_state != record.state:
            yield record
    for record in records[max(begin - MOST_WAITING, 0) : end]:
        if record.began >= first or record.ended is None or record.ended >= first:
            yield record


def _page(groups: Sequence[Sequence[Recorded]], findings: Sequence[Mapping[str, Any]]) -> str:
    records = {id(record): record for group in groups for each in group for record in each.records}
    used = {record.role for record in records.values()}
    causes = grouped(findings)
    shown = [
        {key: group[0][key] for key in ("socket", "call", "file", "line", "text")} | {"count": len(group)}
        for group in causes[:MOST_FINDINGS]
    ]
    roles = [role for name, role in ROLES_IN_RUNS.items() if name in used] or list(ROLES.values())
    return explorer_page(roles, records.values(), title=f"Socket calls: {len(findings)} findings", findings=shown)
