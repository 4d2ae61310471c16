"""The descriptors of this process: all of them taken, or as many after a block as before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from loopback import open_descriptors


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    """Inside, this process cannot get another descriptor."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(open_descriptors()) + 8, limits[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.dup(taken[0]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for number in taken:
            os.close(number)


@contextmanager
def same_descriptors() -> Iterator[None]:
    """The block leaves as many descriptors open as it found."""
    before = open_descriptors()
    yield
    assert open_descriptors() == before
