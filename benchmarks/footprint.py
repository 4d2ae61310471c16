"""Prints how many bytes each of many objects of one kind takes: `python -m benchmarks.footprint KIND [COUNT]`.

Every object has really opened a socket of the system; the kind `raw` is that socket alone. One process measures one kind.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

COUNT = 1000
SPARE_DESCRIPTORS = 64


def maker(kind: str) -> Callable[[], Any]:
    """What makes an object of that kind and opens its socket."""
    match kind:
        case "raw":
            import socket

            return socket.socket
        case "lifecycle":
            from lifecycle import Client

            return lambda: opened(Client())
        case "transitions, own machine":
            from benchmarks.by_transitions import with_machine_of_its_own

            return lambda: opened(with_machine_of_its_own())
        case "transitions, add_model":
            from benchmarks.by_transitions import registered_with, stream_machine

            shared = stream_machine()
            return lambda: opened(registered_with(shared))
        case _:
            from benchmarks.rivals import rivals

            rival = rivals()[kind]
            if rival is None:
                raise SystemExit(f"{kind} is not installed")
            stream = rival.stream
            return lambda: opened(stream())


def opened(thing: Any) -> Any:
    """The object, after its call open()."""
    thing.open()
    return thing


def bytes_each(kind: str, count: int) -> float:
    """The traced memory of `count` objects, divided by their number."""
    make = maker(kind)
    make().close()
    objects: list[Any] = [None] * count
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(count):
        objects[number] = make()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for thing in objects:
        thing.close()
    return (after - before) / count


def allow_descriptors(wanted: int) -> int:
    """Raise this process's limit of open descriptors, where there is one; how many there may be."""
    try:
        import resource
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


if __name__ == "__main__":
    number = int(sys.argv[2]) if len(sys.argv) > 2 else COUNT
    print(bytes_each(sys.argv[1], allow_descriptors(number + SPARE_DESCRIPTORS) - SPARE_DESCRIPTORS))
