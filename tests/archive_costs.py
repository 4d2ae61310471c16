"""What hostile archives cost: the time and the memory per byte that was sent, of every type, of dumps, layouts and slow peers.

    python -m tests.archive_costs [--inputs 1000000] [--seed N] [--minutes M] [--peers 50] [--dear]

An input is a container of one type whose element, valid or mutated, is repeated to its size and mutated again as a whole: 64
bytes to 2 KB, and up to 1 MB one time in LARGE. One time in DEAR it is as dear as its kind can be: no two values are the same,
none is one that Python has once, and a map is just past a growth of its table; --dear: every kind is taken so once, first. It
is loaded; some are dumped, laid out, and gathered from a connection, too. Each may take a peak of memory of MEMORY times the
bytes, and FREE more, which is the archive's limit and what its depth takes (large inputs are weighed, and one in WEIGHED of
the others); and SECONDS_PER_BYTE of the processor, and FREE_SECONDS more. What fails is measured again. Every EACH inputs the
worst so far are printed to stderr.

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
from dataclasses import dataclass, make_dataclass, replace
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
LARGE, DEAR, WEIGHED, GATHERED, DUMPED, LAID_OUT = 1500, 10_000, 10, 1000, 20, 50  # one input in so many
EACH = 50_000
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

    def data(self, size: int, *, past_growth: bool = False) -> bytes:
        """About so many bytes of it; or as many fewer as make a dict that has just grown."""
        parts: list[bytes] = []
        total = 0
        while total < size:
            parts.append(self.element(len(parts)))
            total += len(parts[-1]) or size
        count = len(parts)
        if past_growth:
            while (1 << count.bit_length()) * 2 // 3 + 1 > len(parts) or (1 << count.bit_length()) * 2 // 3 >= count:
                count -= 1
            count = (1 << count.bit_length()) * 2 // 3 + 1
            del parts[count:]
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


def dear_shapes() -> Iterator[Shape]:
    """Arrays, maps and records of values that take the most memory for their bytes."""
    dear: dict[str, Callable[[int], bytes]] = {"COleVariant": lambda number: b"\3\0" + _large(number, 4)}
    dear["CString"] = partial(_named, b"")
    dear["CComBSTR"] = lambda number: b"\2\0\0\0" + _large(number, 4)
    for name, kind in WIRES.items():
        if name not in ("CString", "CStringA", "CStringW", "CComBSTR", "COleVariant"):
            dear[name] = partial(_large, size=len(_smallest(_kind(kind))))
    for name, element in dear.items():
        yield Shape(f"CArray[{name}]", element, _kind(CArray[WIRES[name]]))
        for fields in (1, 4, 20):
            record = make_dataclass("Of", [(f"field{number}", WIRES[name]) for number in range(fields)])
            yield Shape(f"CArray[{fields} {name}]", partial(_repeated, element, fields), _kind(CArray[record]))
        for key in ("DWORD", "LONGLONG", "FLOAT", "POINT", "RECT", "COleCurrency", "CTimeSpan", "CString"):
            yield Shape(f"CMap[{key},{name}]", partial(_pair, dear[key], element), _kind(CMap[WIRES[key], WIRES[name]]))


def dear_data(shape: Shape) -> bytes:
    """A megabyte of one of them, or a map of half to all of that which has just grown."""
    return shape.data(LARGEST - 20, past_growth="CMap" in shape.name)


def _large(number: int, size: int) -> bytes:
    if size >= 4:
        return (0x40000000 + number).to_bytes(4, "little") * (size // 4)
    return (0x4000 | number % 0x4000).to_bytes(2, "big")[2 - size :]


def _repeated(element: Callable[[int], bytes], times: int, number: int) -> bytes:
    return b"".join(element(number * times + each) for each in range(times))


def _pair(key: Callable[[int], bytes], item: Callable[[int], bytes], number: int) -> bytes:
    return key(number) + item(number)


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
        self.dear = list(dear_shapes())
        self.costs: list[Cost] = []
        self.wrong: list[tuple[Cost, bytes]] = []
        self.number = 0

    def run(self, inputs: int, ends: float = float("inf")) -> None:
        """Make so many inputs, or as many as come before the time."""
        while self.number < inputs and time.monotonic() < ends:
            self.step()
            if self.number % EACH == 0:
                print(f"{self.number:,} inputs, {len(self.wrong)} wrong", *self.lines(1), sep="\n", file=sys.stderr, flush=True)

    def lines(self, count: int) -> Iterator[str]:
        """The worst so far, for people."""
        yield "  us/byte  bytes/byte above the free   with it      size"
        for each in self.worst(count):
            yield f"{each.seconds * 1e6:9.2f} {each.memory:12.1f} {each.raw:18.1f} {each.size:12,}  {each.name}"

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
        if self.number % DEAR == 0:
            shape, size = self.dear[self.number // DEAR * 7 % len(self.dear)], LARGEST
            data = dear_data(shape)
        acts = [(shape.name, loads(shape.load, unicode=unicode))]
        acts += [(f"dump: {shape.name}", dumps)] * (self.number % DUMPED == 0)
        acts += [(f"layout: {shape.name}", lays_out)] * (self.number % LAID_OUT == 0)
        acts += [(f"gathered: {shape.name}", gathers(shape.load))] * (self.number % GATHERED == 0)
        weighed = size > SMALL or self.number % WEIGHED == 0
        for what, act in acts:
            self.take(what, data, act, weighed=weighed)

    def take(self, what: str, data: bytes, act: Callable[[bytes], object], *, weighed: bool = True) -> None:
        """Measure one act; one that costs too much is measured again."""
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
    options.add_argument("--dear", action="store_true")
    given = options.parse_args()
    campaign, began = Costs(given.seed), time.monotonic()
    for shape in campaign.dear if given.dear else ():
        campaign.take(shape.name, dear_data(shape), loads(shape.load, unicode=True))
    campaign.run(given.inputs, began + given.minutes * 60)
    print(f"{campaign.number:,} inputs of {len(campaign.shapes)} shapes in {time.monotonic() - began:.0f} s, seed {given.seed}")
    print(*campaign.lines(8), sep="\n")
    for cost, data in campaign.wrong[:5]:
        print(f"WRONG: {cost}: {data[:60].hex()}...")
    gc.collect()
    late = anyio.run(lateness, given.peers, 20.0, 100_000) if given.peers else 0.0
    print(f"beside {given.peers} slow peers a task of 5 ms is at most {late * 1000:.0f} ms late")
    return int(bool(campaign.wrong) or late > LATE)


if __name__ == "__main__":
    sys.exit(main())
