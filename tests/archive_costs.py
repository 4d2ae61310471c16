"""What hostile archives cost: the time and the memory per byte that was sent, of every type, of dumps, layouts and slow peers.

    python -m tests.archive_costs [--inputs 1000000] [--seed N] [--minutes M] [--peers 50]

An input is a container of one type whose element, valid or mutated, is repeated to its size and mutated again as a whole: 64
bytes to 2 KB, and up to 1 MB one time in LARGE. It is loaded; some are dumped, laid out, and gathered from a connection, too.
Each may take a peak of memory of MEMORY times the bytes, and FREE more, which is the archive's limit and what its depth takes
(large inputs are weighed, and one in WEIGHED of the others); and SECONDS_PER_BYTE of the processor, and FREE_SECONDS more. What
fails is measured again.

Then a task that sleeps 5 ms runs beside so many peers, each of which sends most of a message, and then a byte now and again.
"""

from __future__ import annotations

import argparse
import gc
import io
import struct
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from heapq import nlargest
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import anyio
from archive_fuzz_classes import CLASSES, Age, Empty, Frozen, Mixed, Node, Spot, Tree
from archive_kinds import TEMPLATES, WIRES, stored
from archive_mutations import mutated
from archive_seeds import values
from awaited_archives import loading

from lifecycle import archive as mfc
from lifecycle.archive import DWORD, LONGLONG, Archive, ArchiveError, CArray, CMap, CObArray, CObList, CString
from lifecycle.archive.dump import findings
from lifecycle.archive.format.registry import COLLECTIONS
from lifecycle.archive.layout import infer, module_source

LIMIT, DEPTH = 1 << 20, 100
MEMORY, FREE = 16, LIMIT + (1 << 19)
SECONDS_PER_BYTE, FREE_SECONDS = 12e-6, 0.05
SMALL, LARGEST = 1 << 11, 1 << 20
LARGE, WEIGHED, GATHERED, DUMPED, LAID_OUT = 1500, 10, 1000, 20, 50  # one input in so many
LATE = 0.1  # seconds

Load = Callable[[Archive], Any]


@dataclass(frozen=True)
class Shape:
    """Elements of one kind in a container. head: the bytes before the count, of which lines have none."""

    name: str
    element: Callable[[int], bytes]
    load: Load
    head: bytes = b""
    has_count: bool = True

    def data(self, size: int) -> bytes:
        """About so many bytes of it."""
        parts: list[bytes] = []
        total = 0
        while total < size:
            parts.append(self.element(len(parts)))
            total += len(parts[-1]) or size
        count = len(parts)
        prefix = struct.pack("<H", count) if count < 0xFFFF else struct.pack("<HI", 0xFFFF, count)
        return self.head + (prefix if self.has_count else b"") + b"".join(parts)


def shapes() -> Iterator[Shape]:
    """Every type in every container that takes it: of its smallest elements, and of those of the seeds."""
    kinds: dict[str, Any] = WIRES | TEMPLATES | {each.__name__: each for each in (Age, Mixed, Frozen, Tree, Spot, Node)}
    elements = [(name, _smallest(_kind(kind))) for name, kind in kinds.items()]
    elements += [
        (name, stored(True, partial(Archive.store, kind=kinds[name], value=each))) for name, each in values() if name in kinds
    ]
    for name, element in elements:
        if element:
            kind = kinds[name]
            yield Shape(f"CArray[{name}]", partial(_same, element), _kind(CArray[kind]))
            yield Shape(f"CMap[DWORD,{name}]", partial(_numbered, element, 4), _kind(CMap[DWORD, kind]))
            yield Shape(f"CMap[LONGLONG,{name}]", partial(_numbered, element, 8), _kind(CMap[LONGLONG, kind]))
            yield Shape(f"CMap[CString,{name}]", partial(_named, element), _kind(CMap[CString, kind]))
    units = (b"\0", b"\0\0", b"\1\0", b"\1a", b"\xff\xfe\xff\0", b"\xff\xfe\xff\1a\0", b"\xff\xfe\xff\0\0\0")
    for kind in (entry.kind for entry in COLLECTIONS._by_class.values()):
        for unit in units:
            yield Shape(f"{kind.__name__} {unit.hex()}", partial(_same, unit), _kind(kind), _description(kind))
    for kind in (Age, Mixed, Frozen, Tree, Spot, Node, Empty, CObArray, mfc.CByteArray, mfc.CStringArray, mfc.CMapStringToOb):
        new = _description(kind)
        body = _smallest(lambda archive: archive.read_object(), new)
        for owner in (CObArray, CObList):  # it is class 1 and object 2; the first object's class is 3
            name = f"{owner.__name__} of {kind.__name__}"
            yield Shape(name, partial(_object, new, body), _kind(owner), _description(owner))
        yield Shape(f"CObArray of new {kind.__name__}", partial(_same, new + body), _kind(CObArray), _description(CObArray))
    yield Shape("CObArray in CObArray", partial(_same, b"\1\x80\1\0"), _kind(CObArray), _description(CObArray))
    for line in (b"x\0", b"\n\0", b"x\0\n\0", b"\r\0"):
        yield Shape(f"lines {line.hex()}", partial(_same, line), _lines, has_count=False)


def _same(element: bytes, number: int) -> bytes:
    return element


def _numbered(element: bytes, size: int, number: int) -> bytes:
    return number.to_bytes(size, "little") + element


def _named(element: bytes, number: int) -> bytes:
    return b"\xff\xfe\xff\4" + f"{number & 0xFFFF:04x}".encode("utf-16-le") + element


def _object(new: bytes, body: bytes, number: int) -> bytes:
    return (b"\3\x80" if number else new) + body


def _lines(archive: Archive) -> list[Any]:
    return list(iter(archive.read_string, None))


def _kind(kind: Any) -> Load:
    return lambda archive: archive.load(kind)


def _smallest(load: Load, head: bytes = b"") -> bytes:
    """The bytes that it takes of zeros behind `head`; b"" where it does not load them."""
    archive = Archive(io.BytesIO(head + bytes(1 << 10)), "load", registry=CLASSES)
    with suppress(ArchiveError, ValueError), archive:
        load(archive)
        return bytes(archive.offset - len(head))
    return b""


def _description(kind: type[Any]) -> bytes:
    registry = COLLECTIONS if kind in {entry.kind for entry in COLLECTIONS._by_class.values()} else CLASSES
    return registry.entry(kind).description


@dataclass(frozen=True, order=True)
class Cost:
    """What one input took, per byte, above what is free. raw: peak of memory per byte, with what is free; 0 if not weighed."""

    seconds: float
    memory: float
    raw: float
    size: int
    name: str

    @property
    def is_wrong(self) -> bool:
        return self.seconds > SECONDS_PER_BYTE or self.memory > MEMORY


def cost_of(name: str, data: bytes, act: Callable[[bytes], object], *, weighed: bool) -> Cost:
    """Measure one act: its time, and in a second run its memory."""
    began = time.thread_time()
    act(data)
    seconds = time.thread_time() - began
    peak, size = 0, max(len(data), 1)
    if weighed:
        tracemalloc.start()
        try:
            act(data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    return Cost(max(seconds - FREE_SECONDS, 0) / size, max(peak - FREE, 0) / size, peak / size, size, name)


def loads(load: Load, *, unicode: bool) -> Callable[[bytes], object]:
    """An archive with a limit of LIMIT loads it; whatever the ending, what was loaded is kept up to it."""

    def act(data: bytes) -> None:
        archive = Archive(io.BytesIO(data), "load", unicode=unicode, registry=CLASSES, limit=LIMIT, depth=DEPTH)
        with suppress(ArchiveError):
            load(archive)
        archive.abort()

    return act


def dumps(data: bytes) -> None:
    """Every finding, one after the other."""
    for _ in findings(data):
        pass


def lays_out(data: bytes) -> None:
    """The layout, as a module."""
    module_source(infer(data))


def gathers(load: Load) -> Callable[[bytes], object]:
    """A function decodes it from a connection on which it comes in pieces."""

    async def main(data: bytes) -> None:
        async with loading(registry=CLASSES, limit=LIMIT, depth=DEPTH) as (archive, peer), anyio.create_task_group() as tasks:

            async def send() -> None:
                peer.setblocking(False)
                for at in range(0, len(data), 1 << 12):
                    with suppress(BlockingIOError, OSError):
                        peer.send(data[at : at + (1 << 12)])
                    await anyio.sleep(0)
                peer.close()

            tasks.start_soon(send)
            with suppress(ArchiveError, OSError):
                await archive.take(load)
            archive.abort()

    return lambda data: anyio.run(main, data)


class Costs:
    """A campaign; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.shapes = list(shapes())
        self.costs: list[Cost] = []
        self.wrong: list[tuple[Cost, bytes]] = []
        self.number = 0

    def run(self, inputs: int, ends: float = float("inf")) -> None:
        """Make so many inputs, or as many as come before the time."""
        while self.number < inputs and time.monotonic() < ends:
            self.step()

    def step(self) -> None:
        """One input."""
        random, shape = self.random, self.random.choice(self.shapes)
        self.number += 1
        most = LARGEST if self.number % LARGE == 0 else SMALL
        size = int(2 ** random.uniform(6, most.bit_length() - 1))
        if random.random() < 0.5:
            element = mutated(random, shape.element(1), random.choice(self.shapes).element(1), 64)
            shape = replace(shape, element=partial(_same, element))
        data = shape.data(size)
        if random.random() < 0.5:
            data = mutated(random, data, random.choice(self.shapes).data(64))
        unicode = random.random() < 0.7
        acts = [(shape.name, loads(shape.load, unicode=unicode))]
        acts += [(f"dump: {shape.name}", dumps)] * (self.number % DUMPED == 0)
        acts += [(f"layout: {shape.name}", lays_out)] * (self.number % LAID_OUT == 0)
        acts += [(f"gathered: {shape.name}", gathers(shape.load))] * (self.number % GATHERED == 0)
        weighed = size > SMALL or self.number % WEIGHED == 0
        for what, act in acts:
            cost = cost_of(what, data, act, weighed=weighed)
            if cost.is_wrong and (cost := cost_of(what, data, act, weighed=weighed)).is_wrong:
                self.wrong.append((cost, data))
            self.costs.append(cost)
        if len(self.costs) > 20_000:
            self.costs = self.worst(100)

    def worst(self, count: int) -> list[Cost]:
        """The worst of each kind."""
        keys = (lambda each: each.seconds, lambda each: each.memory, lambda each: each.raw * (each.size > SMALL))
        return list(dict.fromkeys(each for key in keys for each in nlargest(count, self.costs, key=key)))


async def lateness(peers: int, seconds: float, message: int) -> float:
    """How late a task that sleeps 5 ms is at most, beside so many slow peers: of this process's time."""
    data = struct.pack("<HI", 0xFFFF, message // 2 + 1000) + b"\1x" * (message // 2)
    worst = 0.0

    def decode(archive: Archive) -> object:
        return archive.load(CArray[CString])

    async with anyio.create_task_group() as tasks:

        async def slow() -> None:
            async with loading(unicode=False) as (archive, peer):
                tasks.start_soon(drip, peer)
                await archive.take(decode)

        async def drip(peer: Any) -> None:
            peer.setblocking(False)
            at = 0
            while True:
                with suppress(BlockingIOError):
                    at += peer.send(data[at : at + (1 << 14)] or b"\1")
                await anyio.sleep(0 if at < len(data) else 0.05)

        for _ in range(peers):
            tasks.start_soon(slow)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            began = time.process_time()
            await anyio.sleep(0.005)
            worst = max(worst, time.process_time() - began)
        tasks.cancel_scope.cancel()
    return worst


def main() -> int:
    """The long form; 1 where something costs too much."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--inputs", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--minutes", type=float, default=float("inf"))
    options.add_argument("--peers", type=int, default=50)
    given = options.parse_args()
    campaign, began = Costs(given.seed), time.monotonic()
    campaign.run(given.inputs, began + given.minutes * 60)
    print(f"{campaign.number:,} inputs of {len(campaign.shapes)} shapes in {time.monotonic() - began:.0f} s, seed {given.seed}")
    print("  us/byte  bytes/byte above the free   with it      size")
    for each in campaign.worst(8):
        print(f"{each.seconds * 1e6:9.2f} {each.memory:12.1f} {each.raw:18.1f} {each.size:12,}  {each.name}")
    for cost, data in campaign.wrong[:5]:
        print(f"WRONG: {cost}: {data[:60].hex()}...")
    gc.collect()
    late = anyio.run(lateness, given.peers, 20.0, 100_000) if given.peers else 0.0
    print(f"beside {given.peers} slow peers a task of 5 ms is at most {late * 1000:.0f} ms late")
    return int(bool(campaign.wrong) or late > LATE)


if __name__ == "__main__":
    sys.exit(main())
