"""Comparing what an object holds and setting it, as one step for all threads; and the process, which a forked child is not."""

from __future__ import annotations

import functools
import os
import sys
from _thread import allocate_lock, get_ident
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Value = TypeVar("Value")


def is_one_step() -> bool:
    """Whether a comparison of an attribute and the store that follows it are one step for all threads, without a lock.

    CPython hands the GIL over, runs signal handlers and collects garbage only where code calls something, jumps backwards or
    begins: not between the two. A test looks at the code for such an instruction. Code that does hold the lock does the same
    between the same two points, so that both exclude each other. Without the GIL, and in other implementations, the lock is
    taken.
    """
    return sys.implementation.name == "cpython" and bool(getattr(sys, "_is_gil_enabled", lambda: True)())


IS_ONE_STEP = is_one_step()

LOCK: Any = allocate_lock()
"""Of all objects: it is held for a few instructions, and costs no object anything"""


def one_step(function: Callable[Parameters, Value]) -> Callable[Parameters, Value]:
    """Make a function that compares, and sets, and calls nothing, one step for all threads.

    Where the GIL does that already there is no lock, which an interrupt between two instructions could leave locked.
    """
    if IS_ONE_STEP:
        return function

    @functools.wraps(function)
    def locked(*arguments: Parameters.args, **keywords: Parameters.kwargs) -> Value:
        with LOCK:
            return function(*arguments, **keywords)

    return locked


process: list[object] = [object()]
"""Holds what stands for this process: another object in a forked child, in which only the thread that forked goes on"""


Claim = tuple[str, object, int]
"""Of an exclusive call that runs: its name, the process, the thread; each call makes its own, and knows it by identity"""


def claim_of(call: str) -> Claim:
    """A claim for a call that begins in this thread."""
    return call, process[0], get_ident()


def is_stale(claim: Claim) -> bool:
    """Whether the thread that made the claim was left behind by a fork of another one: it will never give it up."""
    return claim[1] is not process[0] and claim[2] != get_ident()


def _forked() -> None:
    process[0] = object()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
    if not IS_ONE_STEP:  # no other thread holds it in the child
        os.register_at_fork(before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release)
