"""The claim: archives store and load declared dataclasses at least as fast as pickle, and 5 times as fast as value by value.

A million mixed records: an integer, a double and a short string. As dataclass objects: a typed array of them (CArray), and an
array of pointers to them (CObArray), against pickle and against a loop of the operators << and >>. Told beside them: struct by
hand, and pickle and msgpack of the same records as tuples, which make no objects. Everything stays in memory.

Records within records, a tenth as many: numbers by value, a string in the inner and the outer one, and a pointer to another;
each at most 1.2 times as long as pickle's.
"""

from __future__ import annotations

import io
import pickle
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from benchmarks.claim import Claim, Figure
from benchmarks.effort import Effort
from benchmarks.interleaved import Batch, Series, duration, interleave
from lifecycle.archive import DOUBLE, DWORD, Archive, CArray, CObArray, CString, Registry, serializable

RECORDS = 1_000_000
QUICK_RECORDS = 5_000
TIMES = 5
REGISTRY = Registry()

STORE, LOAD = 0, 1


@serializable("CReading", registry=REGISTRY)
@dataclass
class Reading:
    """A record of the benchmark."""

    number: DWORD
    value: DOUBLE
    name: CString


@serializable("CPlace", registry=REGISTRY)
@dataclass
class Place:
    """Numbers, to be part of another record."""

    x: DWORD
    y: DOUBLE


@serializable("CLabel", registry=REGISTRY)
@dataclass
class Label:
    """A record by value, and a string."""

    number: DWORD
    name: CString
    place: Place


@serializable("CArea", registry=REGISTRY)
@dataclass
class Area:
    """Numbers by value."""

    number: DWORD
    low: Place
    high: Place


@serializable("CNote", registry=REGISTRY)
@dataclass
class Note:
    """A record in a record in a record, with strings."""

    label: Label
    text: CString


@serializable("CMarker", registry=REGISTRY)
@dataclass
class Marker:
    """A record by value, a string, and a record by pointer."""

    place: Place
    name: CString
    label: Label | None


NESTED: dict[str, Callable[[int], Any]] = {
    "numbers": lambda n: Area(n, Place(n, n * 0.5), Place(n + 1, n * 0.25)),
    "strings": lambda n: Note(Label(n, f"name {n % 1000}", Place(n, n * 0.5)), f"text {n % 777}"),
    "pointers": lambda n: Marker(Place(n, n * 0.5), f"name {n % 99}", Label(n, f"name {n % 1000}", Place(n, n * 0.5))),
}
NESTED_TIMES = 1.2

Coder = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]
"""Stores all records, and loads them."""


def _storing(file: io.BytesIO) -> Archive:
    return Archive(file, "store", registry=REGISTRY, limit=1 << 30)


def _loading(data: bytes) -> Archive:
    return Archive(io.BytesIO(data), "load", registry=REGISTRY, limit=1 << 30)


def _store_array(readings: list[Reading]) -> bytes:
    file = io.BytesIO()
    with _storing(file) as archive:
        archive.store(CArray[Reading], readings)
    return file.getvalue()


def _load_array(data: bytes) -> list[Reading]:
    with _loading(data) as archive:
        return archive >> CArray[Reading]


def _store_pointers(readings: list[Reading]) -> bytes:
    file = io.BytesIO()
    with _storing(file) as archive:
        archive << CObArray(readings)
    return file.getvalue()


def _load_pointers(data: bytes) -> list[Reading]:
    with _loading(data) as archive:
        return archive.read_object(CObArray) or []


def _store_by_operators(readings: list[Reading]) -> bytes:
    file = io.BytesIO()
    with _storing(file) as archive:
        archive.write_count(len(readings))
        for each in readings:
            archive << DWORD(each.number) << DOUBLE(each.value) << CString(each.name)
    return file.getvalue()


def _load_by_operators(data: bytes) -> list[Reading]:
    with _loading(data) as archive:
        return [Reading(archive >> DWORD, archive >> DOUBLE, archive >> CString) for _ in range(archive.read_count())]


def _store_by_hand(rows: list[tuple[int, float, str]]) -> bytes:
    pack = struct.Struct("<IdB").pack
    out = bytearray(struct.pack("<I", len(rows)))
    for number, value, name in rows:
        text = name.encode()
        out += pack(number, value, len(text)) + text
    return bytes(out)


def _load_by_hand(data: bytes) -> list[tuple[int, float, str]]:
    layout = struct.Struct("<IdB")
    rows, at = [], 4
    for _ in range(struct.unpack_from("<I", data)[0]):
        number, value, size = layout.unpack_from(data, at)
        at += layout.size
        rows.append((number, value, data[at : at + size].decode()))
        at += size
    return rows


def _nested_coder(kind: Any) -> Coder:
    def store(records: list[Any]) -> bytes:
        file = io.BytesIO()
        with _storing(file) as archive:
            archive.store(CArray[kind], records)  # type: ignore[valid-type]
        return file.getvalue()

    def load(data: bytes) -> Any:
        with _loading(data) as archive:
            return archive.load(CArray[kind])  # type: ignore[valid-type]

    return store, load


def _nested_figures(count: int, effort: Effort) -> list[Figure]:
    """Records within records, by value and by pointer, against pickle."""
    cases: dict[str, Batch] = {}
    for name, make in NESTED.items():
        records = [make(number) for number in range(count)]
        cases[name] = _case(records, _nested_coder(type(records[0])))
        cases[f"pickle of {name}"] = _case(records, (lambda all_: pickle.dumps(all_, 5), pickle.loads))
    series = interleave(cases, effort.rounds(5))
    return [
        Figure(
            f"{word}: records in records, {name}, against pickle",
            series.ratio(name, f"pickle of {name}", phase),
            "x",
            NESTED_TIMES,
            baseline=f"pickle {duration(series.nanoseconds(f'pickle of {name}', phase))} a record",
        )
        for phase, word in ((STORE, "store"), (LOAD, "load"))
        for name in NESTED
    ]


def _case(records: list[Any], coder: Coder) -> Batch:
    store, load = coder
    assert load(store(records[:100])) == records[:100]

    def run() -> tuple[float, float]:
        began = time.perf_counter_ns()
        data = store(records)
        between = time.perf_counter_ns()
        loaded = load(data)
        ended = time.perf_counter_ns()
        assert len(loaded) == len(records)
        return (between - began) / len(records), (ended - between) / len(records)

    return run


def measure(effort: Effort) -> list[Figure]:
    """Both directions of every coder."""
    rows = [(number, number * 0.5, f"name {number % 1000}") for number in range(QUICK_RECORDS if effort.quick else RECORDS)]
    readings = [Reading(*row) for row in rows]
    cases = {
        "lifecycle": _case(readings, (_store_array, _load_array)),
        "by pointer": _case(readings, (_store_pointers, _load_pointers)),
        "operators": _case(readings, (_store_by_operators, _load_by_operators)),
        "pickle": _case(readings, (lambda all_: pickle.dumps(all_, 5), pickle.loads)),
        "struct by hand": _case(rows, (_store_by_hand, _load_by_hand)),
        "pickle of tuples": _case(rows, (lambda all_: pickle.dumps(all_, 5), pickle.loads)),
    }
    if find_spec("msgpack"):
        msgpack = import_module("msgpack")
        cases["msgpack of tuples"] = _case(rows, (msgpack.packb, lambda data: list(msgpack.unpackb(data, use_list=False))))
    series = interleave(cases, effort.rounds(5), every={"operators": 2})
    flat = [
        figure for phase, word in ((STORE, "store"), (LOAD, "load")) for figure in _figures(series, list(cases), phase, word)
    ]
    return flat + _nested_figures(len(rows) // 10, effort)


def _figures(series: Series, cases: list[str], phase: int, word: str) -> list[Figure]:
    times = {case: series.nanoseconds(case, phase) for case in cases}
    others = {
        case: series.ratio(case, "pickle", phase).median for case in cases if case not in ("lifecycle", "by pointer", "pickle")
    }
    baseline = f"pickle {duration(times['pickle'])} a record"
    array, pointers = series.ratio("lifecycle", "pickle", phase), series.ratio("by pointer", "pickle", phase)
    faster = series.ratio("operators", "lifecycle", phase)
    return [
        Figure(f"{word}: a typed array, against pickle", array, "x", 1.0, baseline=baseline, others=others, nanoseconds=times),
        Figure(f"{word}: pointers, against pickle", pointers, "x", 1.0, baseline=baseline),
        Figure(f"{word}: times faster than the operators", faster, "x", TIMES, at_least=True,
               baseline=f"operators {duration(times['operators'])} a record"),
    ]  # fmt: skip


CLAIM = Claim("archives", "a million records: store and load", measure)
