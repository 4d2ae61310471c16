"""A campaign of the archive fuzz: makes inputs, loads them in both builds, and demands of each ending what must hold."""

from __future__ import annotations

import faulthandler
import io
import sys
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from typing import Any

from archive_fuzz_classes import CLASSES, Forbidden
from archive_kinds import LOADABLE, REQUESTS, parts_of
from archive_mutations import mutated
from archive_seeds import Seed, large_seeds, seeds

from lifecycle import archive as package
from lifecycle.archive import Archive, BadClass, BadIndex, BadSchema, EndOfFile, FormatError, GenericError
from lifecycle.engine import IllegalCall

SLOWEST = 5.0  # seconds for one load
HANG = 120  # seconds without a thousand inputs
ERRORS = (BadClass, BadIndex, BadSchema, EndOfFile, GenericError)
TRACED = 97  # one input in so many is loaded under a trace of lines
WEIGHED = 503  # one input in so many has its memory measured by itself
LARGE = 2500  # one input in so many comes from a large seed
POOL = 4000  # the most inputs that are kept
SOURCES = str(Path(package.__file__).parent)


class Wrong(AssertionError):
    """An input that did what none may; its text is how to see it again."""


class Dribble(io.RawIOBase):
    """A file that gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(memoryview(buffer)[: 1 + self._file.tell() % 5])


def loaded(data: bytes, plan: tuple[str, ...], *, unicode: bool, win32: bool = False, dribble: bool = False) -> tuple[str, ...]:
    """Load an input and see that all demands are met; what kind of ending it was. Raises Wrong."""
    file = Dribble(data) if dribble else io.BytesIO(data)
    archive = Archive(file, "load", unicode=unicode, win32=win32, registry=CLASSES)
    values, request, error = [], "", None
    began = time.perf_counter()
    try:
        for request in plan:
            values.append(REQUESTS[request](archive))
    except io.UnsupportedOperation as unsupported:
        if not (dribble and request == "raw view"):
            raise _wrong(data, plan, unicode, win32, f"{unsupported!r}") from unsupported
    except BaseException as reason:
        error = reason
    try:
        problem = _ending_problem(archive, data, error) or _time_problem(began) or _made_problem(values)
        if problem:
            raise _wrong(data, plan, unicode, win32, f"{request}: {problem}") from error
    finally:
        archive.abort()
    ending = ("loaded",) if error is None else (request, type(error).__name__, _kind_of_text(error))
    error = None  # its traceback holds this frame: the archive goes now, and not when memory is cleaned up
    return ending


def _kind_of_text(error: Any) -> str:
    return "".join(each for each in error.expected if not each.isdigit())[:40]


def _wrong(data: bytes, plan: tuple[str, ...], unicode: bool, win32: bool, what: str) -> Wrong:
    shown = f"loaded(bytes.fromhex({data.hex()!r}), {plan!r}, unicode={unicode}, win32={win32})"
    return Wrong(f"{what}\n{shown}")


def _ending_problem(archive: Archive, data: bytes, error: BaseException | None) -> str | None:
    if error is None:
        return None if archive.state == "loading" and archive.offset <= len(data) else f"{archive.state} at {archive.offset}"
    if type(error) not in ERRORS or not isinstance(error, FormatError):
        return f"not an archive error: {error!r}"
    if archive.state != "broken":
        return f"{error!r} left the archive {archive.state}"
    if not 0 <= error.offset <= len(data) or not error.expected or f"at byte {error.offset}: expected" not in str(error):
        return f"the text does not say where and what: {error} ({len(data)} bytes)"
    try:
        archive.read_count()
    except IllegalCall:
        return None
    return "a broken archive goes on loading"


def _time_problem(began: float) -> str | None:
    seconds = time.perf_counter() - began
    return f"it took {seconds:.1f} seconds" if seconds > SLOWEST else None


def _made_problem(values: list[Any]) -> str | None:
    """What was made and is not registered."""
    if Forbidden.made:
        return "a class of another registry was made"
    seen: set[int] = set()
    while values:
        value = values.pop()
        if id(value) in seen or isinstance(value, (int, float, str, bytes, type(None), type)):
            continue
        seen.add(id(value))
        kind = type(value)
        if (
            kind.__module__ != package.__name__
            and not kind.__module__.startswith(f"{package.__name__}.")
            and (kind not in LOADABLE and kind not in (list, dict, tuple))
        ):
            return f"an object of {kind} was made"
        values += parts_of(value)
    return None


@dataclass
class Figures:
    """What a campaign did."""

    inputs: int = 0
    loads: int = 0
    seconds: float = 0.0
    endings: Counter[str] = field(default_factory=Counter)
    signatures: set[tuple[str, ...]] = field(default_factory=set)
    lines: set[tuple[str, int]] = field(default_factory=set)
    slowest: float = 0.0
    heaviest: int = 0
    grown: int = 0
    wrong: str = ""

    def add(self, other: Figures) -> None:
        """Add what another process did."""
        self.inputs += other.inputs
        self.loads += other.loads
        self.seconds = max(self.seconds, other.seconds)
        self.endings += other.endings
        self.signatures |= other.signatures
        self.lines |= other.lines
        self.slowest = max(self.slowest, other.slowest)
        self.heaviest = max(self.heaviest, other.heaviest)
        self.grown = max(self.grown, other.grown)
        self.wrong = self.wrong or other.wrong


class Campaign:
    """Mutates seeds and what was kept, and loads the result; the same for the same seed."""

    def __init__(self, seed: int, *, large: bool = True) -> None:
        self.random = Random(seed)
        self.seeds = seeds()
        self.large = large_seeds() if large else []
        self.pool: list[Seed] = []
        self.figures = Figures()

    def step(self) -> None:
        """Make one input and load it in both builds."""
        random, figures = self.random, self.figures
        seed, data = self._input()
        plan = seed.plan if random.random() < 0.75 else tuple(random.choices(list(REQUESTS), k=random.randrange(1, 6)))
        win32, dribble = random.random() < 0.3, random.random() < 0.1
        number = figures.inputs = figures.inputs + 1
        new = False
        for unicode in (True, False):
            began = time.perf_counter()
            if number % WEIGHED == 0:
                ending = self._weighed(data, plan, unicode=unicode, win32=win32, dribble=dribble)
            elif number % TRACED == 0:
                before = len(figures.lines)
                ending = self._traced(data, plan, unicode=unicode, win32=win32, dribble=dribble)
                new = new or len(figures.lines) > before
            else:
                ending = loaded(data, plan, unicode=unicode, win32=win32, dribble=dribble)
                figures.slowest = max(figures.slowest, time.perf_counter() - began)
            figures.loads += 1
            figures.endings[ending[min(1, len(ending) - 1)]] += 1
            if ending not in figures.signatures:
                figures.signatures.add(ending)
                new = True
        if new and len(data) < 1 << 13:
            self._keep(Seed(data, plan))

    def run(self, inputs: int, minutes: float | None = None) -> Figures:
        """Make so many inputs, or as many as fit into the time; stops at the first that is wrong."""
        began, baseline = time.monotonic(), present_memory()
        try:
            while self.figures.inputs < inputs:
                if self.figures.inputs % 1000 == 0:
                    faulthandler.dump_traceback_later(HANG, exit=True)
                    if minutes is not None and time.monotonic() - began > minutes * 60:
                        break
                self.step()
        except Wrong as wrong:
            self.figures.wrong = str(wrong)
        finally:
            faulthandler.cancel_dump_traceback_later()
        self.figures.seconds = time.monotonic() - began
        self.figures.grown = peak_memory() - baseline
        return self.figures

    def _input(self) -> tuple[Seed, bytes]:
        random = self.random
        if self.large and self.figures.inputs % LARGE == LARGE - 1:
            seed = random.choice(self.large)
        else:
            seed = random.choice(self.pool if self.pool and random.random() < 0.5 else self.seeds)
        if random.random() < 0.05:
            return seed, random.randbytes(random.choice((0, 1, 2, 3, 5, 8, 13, 21, 34, 64, 200)))
        return seed, mutated(random, seed.data, random.choice(self.seeds).data)

    def _keep(self, seed: Seed) -> None:
        if len(self.pool) < POOL:
            self.pool.append(seed)
        else:
            self.pool[self.random.randrange(POOL)] = seed

    def _weighed(self, data: bytes, plan: tuple[str, ...], **how: bool) -> tuple[str, ...]:
        tracemalloc.start()
        try:
            return loaded(data, plan, **how)
        finally:
            self.figures.heaviest = max(self.figures.heaviest, tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    def _traced(self, data: bytes, plan: tuple[str, ...], **how: bool) -> tuple[str, ...]:
        lines, ours = self.figures.lines, _Ours()

        def line(frame: FrameType, event: str, argument: object) -> Any:
            lines.add((frame.f_code.co_filename, frame.f_lineno))
            return line

        def call(frame: FrameType, event: str, argument: object) -> Any:
            return line(frame, event, argument) if ours[frame.f_code] else None

        before = sys.gettrace()
        sys.settrace(call)
        try:
            return loaded(data, plan, **how)
        finally:
            sys.settrace(before)


class _Ours(dict[CodeType, bool]):
    """Whether code belongs to the package's archives, generated code included."""

    def __missing__(self, code: CodeType) -> bool:
        self[code] = code.co_filename.startswith((SOURCES, "<lifecycle.archive"))
        return self[code]


def peak_memory() -> int:
    """The most memory that this process has had so far, in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def present_memory() -> int:
    """The memory that this process has now, in bytes; where the system does not tell, the most that it has had."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return peak_memory()
    import resource

    return int(statm.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
