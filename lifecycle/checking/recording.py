"""The calls on a program's sockets as records of a journal: what diagrams are made from."""

from __future__ import annotations

import os
from collections.abc import Iterable

from lifecycle.checking.track import Event, Track
from lifecycle.engine import Record

_FORBIDDEN_IN_TEXTS = str.maketrans({"\n": " "})


def records_of(tracks: Iterable[Track]) -> list[Record]:
    """A record for each call, in the order of their begin."""
    records = [_record(track, event) for track in tracks for event in track.events]
    return sorted(records, key=lambda record: record.began)


def subject_of(track: Track) -> str:
    """The name of a socket among all processes of a run."""
    return f"{track.name}@{os.getpid()}"


def _record(track: Track, event: Event) -> Record:
    return Record(
        role=track.phase.role.name,
        subject=subject_of(track),
        state=event.state,
        call=event.call,
        thread=event.thread,
        file=event.place.file,
        line=event.place.line,
        arguments=event.arguments.translate(_FORBIDDEN_IN_TEXTS),
        began=event.began,
        ended=event.ended,
        outcome=event.outcome,
        next_state=event.next_state,
        error=event.error,
    )
